"""Readings in the back office: files are shown and then confirmed, and lists say how far all is."""

import csv
from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.capacity.admin import meter_seen
from apps.capacity.models import GenerationReading, GenerationShare
from apps.capacity.services.meter_files import read_rows
from apps.capacity.services.metering import preview_readings
from tests.capacity.months import OCTOBER, SEPTEMBER, correct, generate, had_since, read
from tests.capacity.plants import make_project
from tests.capacity.test_metering import HEADER, make_file, row
from tests.people import make_organization, make_person, signed_in

LIST = "/admin/capacity/generationreading/"
UPLOAD = f"{LIST}upload/"


@pytest.fixture
def staff():
    return signed_in(make_person(is_staff=True, is_superuser=True))


def send(client, data: bytes, **fields):
    return client.post(UPLOAD, {"file": SimpleUploadedFile("readings.csv", data), **fields})


@pytest.mark.django_db
class TestBackOffice:
    def test_a_file_is_shown_and_confirmed(self, staff):
        project = make_project()
        assert "Nothing is recorded before you confirm" in staff.get(UPLOAD).content.decode()
        shown = send(staff, make_file(row(project), row(project, "x", SEPTEMBER)))
        page = shown.content.decode()
        seen = shown.context["form"]["seen"].value()

        assert "1,200.500" in page
        assert "This is no number" in page
        assert not GenerationReading.objects.exists()
        asked = staff.post(UPLOAD, {"seen": seen})  # without leaving the wrong row out
        assert asked.status_code == 422
        assert "This is no number" in asked.content.decode()
        assert 'form="preview" name="errors"' in asked.content.decode()
        done = staff.post(UPLOAD, {"seen": seen, "leave_out": "on"}, follow=True)
        assert "1 readings are recorded" in done.content.decode()
        assert GenerationReading.objects.get().source == "csv"
        again = send(staff, make_file(row(project))).content.decode()
        assert "there is nothing to do" in again

    def test_corrections_are_agreed_to_with_a_reason(self, staff):
        project = make_project()
        read(project, 1000)
        seen = send(staff, make_file(row(project, "2"))).context["form"]["seen"].value()
        assert staff.post(UPLOAD, {"seen": seen, "reason": "Meter"}).status_code == 422
        assert staff.post(UPLOAD, {"seen": seen, "agreed": "on"}).status_code == 422
        assert GenerationReading.objects.count() == 1
        staff.post(UPLOAD, {"seen": seen, "agreed": "on", "reason": "Meter"})
        assert GenerationReading.objects.get(correction_of__isnull=False).energy_wh == 2000

    def test_wrong_rows_are_a_file_that_comes_back_mended(self, staff):
        project = make_project()
        header = f"note,{HEADER}"
        data = make_file(
            f"=1+1,{row(project, 'x')}",
            f"whole,{row(project, '7', SEPTEMBER)}",
            f"cut,{row(project, '8')},9",
            f"far,nowhere,2026-08-01,2026-08-31,{'1' * 120}",
            header=header,
        )
        seen = send(staff, data).context["form"]["seen"].value()
        answer = staff.post(UPLOAD, {"seen": seen, "errors": "1"})
        file = b"".join(answer.streaming_content).decode()
        first, *wrong = csv.reader(file.splitlines())

        assert answer["Content-Type"].startswith("text/csv")
        assert first == [*header.split(","), "_row", "_error"]
        assert [(one[0], one[5]) for one in wrong] == [("'=1+1", "2"), ("cut", "4"), ("far", "5")]
        assert wrong[0][6].startswith("energy_kwh: This is no number")
        assert wrong[1][-1] == "9"  # stays wrong until somebody looks at it
        assert wrong[2][4] == "1" * 120  # all of it, and not what is shown
        assert not GenerationReading.objects.exists()
        mended = file.replace(",x,", ",1,").replace(wrong[1][6] + ",9", wrong[1][6])
        outcomes = preview_readings(read_rows(mended.encode()))
        assert [one.effect.value for one in outcomes] == ["new", "wrong", "wrong"]

    def test_more_than_a_page_can_hand_back_is_refused_in_words(self, staff, monkeypatch):
        monkeypatch.setattr(meter_seen, "LARGEST_SEEN", 10)
        answer = send(staff, make_file(row(make_project(), "x")))
        assert answer.status_code == 400
        assert "Divide the file into two" in answer.content.decode()

    def test_a_preview_is_its_viewers_for_an_hour(self, staff, monkeypatch):
        project = make_project()
        seen = send(staff, make_file(row(project))).context["form"]["seen"].value()
        other = signed_in(make_person(is_staff=True, is_superuser=True))
        assert other.post(UPLOAD, {"seen": seen}).status_code == 409
        assert staff.post(UPLOAD, {"seen": f"{seen}x"}).status_code == 409
        monkeypatch.setattr(meter_seen, "LONGEST_LOOK", -1)  # as if it were long ago
        assert staff.post(UPLOAD, {"seen": seen}).status_code == 409
        assert not GenerationReading.objects.exists()

    def test_what_cannot_be_read_is_refused_in_words(self, staff):
        answer = send(staff, b"nothing\nof use\n")
        assert answer.status_code == 400
        assert "Begin with the template" in answer.content.decode()
        assert staff.post(UPLOAD, {}).status_code == 422

    def test_who_may_not_record_and_correct_uploads_nothing(self):
        person = make_person(is_staff=True)
        may = Permission.objects.filter(content_type__app_label="capacity")
        person.user_permissions.set(may.filter(codename="add_generationreading"))
        assert signed_in(person).get(UPLOAD).status_code == 403
        person.user_permissions.set(may.filter(codename__endswith="_generationreading"))
        assert signed_in(person).get(UPLOAD).status_code == 200

    def test_readings_are_recorded_corrected_and_exported(self, staff):
        project, acme = make_project(10, capacity_kw=10), make_organization()
        had_since(acme, project, 10, month=1)
        first, last = map(str, OCTOBER)
        given = {"project": project.pk, "starts_on": first, "ends_on": last, "note": ""}
        staff.post(f"{LIST}add/", {**given, "energy_kwh": "12.5"})
        reading = GenerationReading.objects.get()
        other = staff.post(f"{LIST}add/", {**given, "energy_kwh": "13"}, follow=True)
        assert (reading.energy_wh, reading.source) == (12_500, "staff")
        assert "If that is wrong, correct it" in other.content.decode()

        correction = {"energy_kwh": "13", "reason": "Read again"}
        for wrong in ("", "x" * 201):
            asked = staff.post(f"{LIST}{reading.pk}/correct/", {**correction, "reason": wrong})
            assert asked.context["form"].errors["reason"]
        assert GenerationReading.objects.count() == 1
        staff.post(f"{LIST}{reading.pk}/correct/", correction)
        generate(project, 20_000, SEPTEMBER)
        page = staff.get(f"{LIST}{reading.pk}/change/").content.decode()
        assert "1 of 1 shares posted" in page
        assert "13000 Wh" in page  # what it is corrected to
        assert "Corrected" in staff.get(LIST).content.decode()
        assert "export/?state=standing" in staff.get(f"{LIST}?state=standing").content.decode()
        answer = staff.get(f"{LIST}export/?state=standing")
        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert len(lines) == 3
        outcomes = preview_readings(read_rows("\n".join(lines).encode()))
        assert {one.effect.value for one in outcomes} == {"repeated"}

    def test_shares_are_listed_and_exported(self, staff):
        project, acme = make_project(10, capacity_kw=10), make_organization()
        had_since(acme, project, 10, month=1)
        reading = generate(project, 20_000)
        shares = "/admin/capacity/generationshare/"
        to_shares = staff.get(f"{LIST}{reading.pk}/shares/", follow=True)
        to_readings = staff.get(f"/admin/capacity/project/{project.pk}/readings/", follow=True)
        assert "20.000" in to_shares.content.decode()
        assert reading.public_id in to_readings.content.decode()
        answer = staff.get(f"{shares}export/")
        (line,) = b"".join(answer.streaming_content).decode().splitlines()[1:]
        share = GenerationShare.objects.get()
        assert line.startswith(f"{share.public_id},{reading.public_id},{project.code},2026-10-01,")
        assert staff.get(f"{shares}{share.pk}/change/").status_code == 200

    def test_lists_ask_as_often_for_many_as_for_few(self, staff):
        project = make_project()
        correct(read(project, 7), 8)
        staff.get(LIST)
        few = queries_of(staff, LIST)
        for day in range(1, 4):
            read(project, 7, (date(2026, 9, day), date(2026, 9, day)))
        assert queries_of(staff, LIST) == few


def queries_of(client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get(url)
    return len(asked)
