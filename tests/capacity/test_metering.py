"""Files of readings: what each row does is shown, and then done as it was shown, or not at all."""

import csv
from datetime import date
from io import BytesIO

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from apps.capacity.admin import meter_seen
from apps.capacity.errors import CorrectionsNotAgreed, ReadingsChanged
from apps.capacity.models import GenerationReading, GenerationShare, Project
from apps.capacity.services import readings
from apps.capacity.services.meter_files import (
    MOST_READINGS,
    TEMPLATE,
    Facts,
    day_said,
    read_rows,
    watt_hours_of,
)
from apps.capacity.services.metering import Effect, confirm_readings, preview_readings
from apps.core.sheets import UnreadableUpload
from apps.core.sheets.numbers import decimal_of
from apps.tenants.models import AuditLog
from tests.capacity.months import OCTOBER, SEPTEMBER, correct, generate, had_since, read
from tests.capacity.plants import make_project
from tests.people import make_organization, make_person, signed_in

HEADER = "project,starts_on,ends_on,energy_kwh"
LIST = "/admin/capacity/generationreading/"
UPLOAD = f"{LIST}upload/"


def make_file(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def row(project: Project, kwh: str = "1200.5", period=OCTOBER) -> str:
    return ",".join([project.code, *map(str, period), kwh])


def effects(outcomes) -> list[tuple[str, int | None]]:
    return [(one.effect.value, one.former_wh) for one in outcomes]


class TestReading:
    def test_a_row_says_project_days_and_energy(self):
        data = make_file("north;2026-10-01;2026-10-31;1.200,5", header=HEADER.replace(",", ";"))
        (said,) = read_rows(b"\xef\xbb\xbf" + data)
        assert said.facts == Facts("north", date(2026, 10, 1), date(2026, 10, 31), 1_200_500)
        assert said.number == 2

    def test_the_template_is_read_and_its_example_left_out(self):
        data = "\n".join([*map(",".join, TEMPLATE), "north,2026-10-01,2026-10-31,7"]).encode()
        assert [one.facts.energy_wh for one in read_rows(data)] == [7000]

    def test_a_number_of_a_workbook_means_one(self):
        book, file = Workbook(), BytesIO()
        book.active.append(HEADER.split(","))
        for kwh in (123.456, 1.5, 7, "1.234"):
            book.active.append(["north", *OCTOBER, kwh])
        book.save(file)
        *rows, text = read_rows(file.getvalue())
        assert [one.facts.energy_wh for one in rows] == [123_456, 1500, 7000]
        assert "two numbers" in text.faults[0].message

    def test_a_project_is_named_by_the_rows_or_beforehand(self):
        header = "from,to,wh"
        (said,) = read_rows(make_file("2026-10-01,2026-10-31,7", header=header), project="north")
        assert (said.facts.project, said.facts.energy_wh) == ("north", 7)
        with pytest.raises(UnreadableUpload, match="needs one column project"):
            read_rows(make_file("2026-10-01,2026-10-31,7", header=header))
        with pytest.raises(UnreadableUpload, match="needs one column energy_kwh or energy_wh"):
            read_rows(make_file("2026-10-01,2026-10-31", header="from,to"), project="north")

    def test_a_file_has_a_limit(self):
        with pytest.raises(UnreadableUpload, match="1,000 readings"):
            read_rows(make_file(*["a,2026-10-01,2026-10-31,7"] * (MOST_READINGS + 1)))

    @pytest.mark.parametrize(
        ("cells", "column", "advice"),
        [
            ("north,1.10.2026,2026-10-31,7", "starts_on", "Write the day as"),
            ("north,2026-10-01,2026-10-31T05:00:00,7", "ends_on", "Write the day as"),
            ("north,2026-10-01,2026-10-31,=1+1", "energy_kwh", "formula"),
            ("north,2026-10-01,2026-10-31,-5", "energy_kwh", "has a sign"),
            ("north,2026-10-01,2026-10-31,1.234", "energy_kwh", "Write 1234 or 1.2340"),
            ("north,2026-10-01,2026-10-31,5.12345", "energy_kwh", "Round it"),
            ("north,2026-10-01,2026-10-31,", "energy_wh", "in kWh or in Wh"),
            ("north,2026-10-01,2026-10-31,7,8", "", "more cells"),
        ],
    )
    def test_what_is_wrong_is_said_by_cell(self, cells, column, advice):
        (said,) = read_rows(make_file(cells))
        (fault,) = said.faults
        assert said.facts is None
        assert fault.column == ("energy_kwh" if column == "energy_wh" else column)
        assert advice in fault.message
        assert fault.value in cells.split(",")

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            *(("5", "5"), ("5,25", "5.25"), ("5.25", "5.25"), ("0.123", "0.123")),
            *(("1234.567", "1234.567"), ("1,234.5", "1234.5"), ("1.234,5", "1234.5")),
            *(("1 234", "1234"), ("1.234.567", "1234567"), ("1'234,5", "1234.5")),
        ],
    )
    def test_a_number_can_be_written_in_many_ways(self, text, number):
        assert str(decimal_of(text).normalize()) == str(decimal_of(number).normalize())
        assert f"{decimal_of(text).normalize():f}" == number

    @pytest.mark.parametrize("text", ["1,234", "1.234", "1,2,3", "1.234.5", "1e3", "٥", "1,23,456"])
    def test_what_is_no_number_or_two_is_refused(self, text):
        with pytest.raises(ValueError, match=r"two numbers|no number"):
            decimal_of(text)

    def test_days_and_energy_are_exact(self):
        assert day_said("2026-10-31T00:00:00") == date(2026, 10, 31)
        assert watt_hours_of("0.001") == 1
        assert watt_hours_of(f"{10**30 + 1}.5") == (10**30 + 1) * 1000 + 500
        with pytest.raises(ValueError, match="Round it"):
            watt_hours_of(f"1200.{'0' * 30}1")


@pytest.mark.django_db
class TestCarryingOut:
    def test_new_readings_are_recorded_once(self):
        project = make_project()
        rows = read_rows(make_file(row(project), row(project, "7", SEPTEMBER)))
        seen = preview_readings(rows)

        assert effects(seen) == [("new", None), ("new", None)]
        assert not GenerationReading.objects.exists()
        assert not AuditLog.objects.filter(action__startswith="capacity.reading").exists()
        assert confirm_readings(seen)[Effect.NEW] == 2
        kept = GenerationReading.objects.values_list("energy_wh", "source")
        assert set(kept) == {(1_200_500, "csv"), (7000, "csv")}
        assert confirm_readings(seen)[Effect.REPEATED] == 2  # pressed twice
        assert effects(preview_readings(rows)) == [("repeated", None)] * 2
        assert GenerationReading.objects.count() == 2

    def test_a_correction_is_shown_and_needs_a_reason(self):
        project = make_project()
        first = read(project, 1000)
        seen = preview_readings(read_rows(make_file(row(project, "2"))))

        assert effects(seen) == [("correction", 1000)]
        with pytest.raises(CorrectionsNotAgreed):
            confirm_readings(seen)
        assert GenerationReading.objects.count() == 1
        confirm_readings(seen, reason="The meter was read wrongly")
        first.refresh_from_db()
        assert (first.corrected_by.energy_wh, first.corrected_by.note) == (
            *(2000, "The meter was read wrongly"),
        )

    def test_what_would_be_another_effect_than_was_seen_is_refused_as_a_whole(self):
        project = make_project()
        first = read(project, 1000)
        seen = preview_readings(
            read_rows(make_file(row(project, "9", SEPTEMBER), row(project, "2")))
        )
        correct(first, 1500)
        with pytest.raises(ReadingsChanged, match="Row 3"):
            confirm_readings(seen, reason="Meter")
        assert GenerationReading.objects.filter(corrected_by=None).get().energy_wh == 1500

    def test_what_services_refuse_is_wrong_in_its_column(self):
        project = make_project(starts_on=date(2026, 9, 1))
        read(project, 1000)
        rows = read_rows(
            make_file(
                "nowhere,2026-10-01,2026-10-31,7",
                f"{project.code},2026-10-15,2026-10-20,7",
                f"{project.code},2026-11-01,2026-11-30,7",
                f"{project.public_id},2026-09-01,2026-09-30,9999999999999",
                f"{project.code},2026-09-02,2026-09-30,7",
                f"{project.code},2026-09-02,2026-09-30,8",
            )
        )
        outcomes = preview_readings(rows)
        told = [
            (fault.column, fault.value, fault.message) for one in outcomes for fault in one.faults
        ]

        assert [one.effect.value for one in outcomes] == [*["wrong"] * 4, "new", "wrong"]
        assert [column for column, _, _ in told] == [
            *("project", "starts_on", "ends_on", "energy_kwh", "starts_on"),
        ]
        assert told[0] == (
            *("project", "nowhere"),
            "There is no such project. Write its code, as in the list of projects.",
        )
        assert "was read before" in told[1][2]
        assert told[4][2] == "Row 6 has this period. Leave one of them out."

    def test_rows_above_count_as_carried_out(self):
        project = make_project()
        rows = read_rows(
            make_file(
                f"{project.code},2026-09-01,2026-09-30,7",
                f"{project.code},2026-09-30,2026-10-02,7",
                f"{project.code},2026-10-01,2026-10-02,7",
            )
        )
        seen = preview_readings(rows)

        assert [one.effect.value for one in seen] == ["new", "wrong", "new"]
        assert "2026-09-01 to 2026-09-30 was read before" in seen[1].faults[0].message

    @pytest.mark.parametrize("what", ["new", "correction", "repeated"])
    def test_a_preview_asks_as_often_for_many_rows_as_for_few_and_locks_nothing(self, what):
        project, days = make_project(), [date(2026, 9, day) for day in range(1, 31)]
        for day in [] if what == "new" else days:
            read(project, 7000 if what == "repeated" else 1, (day, day))
        asked = []
        for some in (days[:1], days):
            rows = read_rows(make_file(*(row(project, "7", (day, day)) for day in some)))
            with CaptureQueriesContext(connection) as queries:
                outcomes = preview_readings(rows)
            assert {one.effect.value for one in outcomes} == {what}
            assert all(one["sql"].startswith("SELECT") for one in queries)
            assert not [one for one in queries if "FOR NO KEY" in one["sql"]]
            asked.append(len(queries))
        assert asked[0] == asked[1]

    def test_confirming_writes_the_audit_row_by_row_and_all_else_at_once(self, monkeypatch):
        project, days = make_project(), [date(2026, 9, day) for day in range(1, 31)]
        rung, asked = [], []
        monkeypatch.setattr(readings, "enqueue", rung.append)
        for some in (days[:1], days[1:]):
            seen = preview_readings(
                read_rows(make_file(*(row(project, "7", (day, day)) for day in some)))
            )
            with CaptureQueriesContext(connection) as queries:
                confirm_readings(seen)
            asked.append(len([one for one in queries if "tenants_auditlog" not in one["sql"]]))
        assert asked[0] == asked[1]
        assert rung == ["capacity.share_generation"] * 2
        assert AuditLog.objects.filter(action="capacity.reading_recorded").count() == 30


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
