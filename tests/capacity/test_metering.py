"""Files of readings: what each row does is shown, and then done as it was shown, or not at all."""

from datetime import date
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from apps.capacity.errors import CorrectionsNotAgreed, ReadingsChanged
from apps.capacity.models import GenerationReading, Project
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
from tests.capacity.months import OCTOBER, SEPTEMBER, correct, read
from tests.capacity.plants import make_project

HEADER = "project,starts_on,ends_on,energy_kwh"


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

    def test_a_correction_to_more_than_a_project_can_generate_is_wrong(self):
        project = make_project()
        read(project, 1000)
        (seen,) = preview_readings(read_rows(make_file(row(project, "2000000000000"))))
        assert seen.effect == Effect.WRONG
        assert "Give from 0 to" in str(seen.faults[0])

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
