"""`manage.py import_allocations`: former rows become allocations once, and say why they do not."""

import csv
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.capacity.models import Allocation, GenerationReading
from apps.capacity.selectors.former import FormerAllocation
from apps.capacity.services.ending import withdraw_allocations
from apps.capacity.services.importing import import_allocation
from apps.core.errors import DomainError
from apps.core.invariants import verify
from apps.credits.selectors.former import FormerBalance
from apps.credits.services.former import import_balance
from apps.rbac.selectors.ownership import owners_of
from apps.tenants.models import AuditLog, Organization
from tests.capacity.conftest import NOON
from tests.capacity.plants import allocate, counters, make_project
from tests.people import make_organization, make_person

pytestmark = pytest.mark.django_db
HEADER = (
    "id,user_id,project_id,organization,email,block_id,capacity_kw,monthly_fee,status"
    ",created_at,ended_at"
)


@pytest.fixture
def project():
    return make_project(1, 2, 2, 5, code="roof")


@pytest.fixture
def acme():
    return make_organization(owner=make_person(email="ada@example.com"))


@pytest.fixture
def run(tmp_path):
    """Import these lines; return what the report says (column and problem), and what is printed."""

    def importing(*lines: str, apply: bool = True, **more):
        file, report = tmp_path / "former.csv", tmp_path / "report.csv"
        file.write_text("\n".join([HEADER, *lines]))
        options = {"report": report, "apply": apply, "stdout": (out := StringIO()), **more}
        try:
            call_command("import_allocations", file, **options)
        except CommandError as error:
            out.write(str(error))
        with report.open(newline="") as found:
            rows = [(row["kind"], row["column"], row["problem"]) for row in csv.DictReader(found)]
        return rows, out.getvalue()

    return importing


def line(former_id: str = "a-1", **values: str) -> str:
    row = {"id": former_id, "project_id": "roof", "email": "ada@example.com", "capacity_kw": "5"}
    row |= {"status": "active", "created_at": "2025-11-03 14:30:00+00"} | values
    return ",".join(row.get(name, "") for name in HEADER.split(","))


def former_of(organization, project, **values) -> FormerAllocation:
    row = {"former_id": "a-1", "block": None, "capacity_kw": Decimal(5), "ending": ""}
    row |= {"starts_on": date(2025, 11, 3), "ends_on": None} | values
    return FormerAllocation(organization=organization, project=project, **row)


def block_of(project, kw: int):
    return project.blocks.filter(capacity_kw=kw).first()


class TestImporting:
    def test_tells_in_a_dry_run_and_writes_nothing(self, run, acme, project):
        found, said = run(line(), line("a-2", capacity_kw="9"), apply=False)

        assert "roof: 5.000 kW\nrows=1 blocks=1" in said
        assert "Dry run" in said
        assert [kind for kind, *_ in found] == ["problem"]
        assert not Allocation.objects.exists()
        assert counters(project) == ("10", "0", "0")

    def test_allocates_from_the_first_day_and_once(self, run, acme, project):
        lines = (line(), line("a-2", capacity_kw="4"))
        found, said = run(*lines)
        again, repeated = run(*lines)

        assert found == again == []
        assert "rows=2 blocks=3 history=0 already=0" in said
        assert "rows=0 blocks=0 history=0 already=2" in repeated
        made = Allocation.objects.filter(organization=acme)
        assert set(made.values_list("former_id", flat=True)) == {"a-1", "a-2", "a-2/2"}
        assert {one.effective_from for one in made} == {date(2025, 11, 3)}
        assert counters(project) == ("10", "9", "0")
        assert AuditLog.objects.filter(action="capacity.import").count() == 2
        assert not [one.invariant.code for one in verify() if one.failures]

    def test_keeps_what_is_over_as_history_of_its_block(self, run, acme, project):
        block = block_of(project, 5)
        over = {"block_id": block.serial, "status": "cancelled", "ended_at": "2026-01-31"}
        found, said = run(line("live", created_at="2026-01-31"), line("past", **over))

        assert found == []
        assert "history=1" in said
        past = Allocation.objects.get(former_id="past")
        assert (past.ending, past.effective_to) == ("cancelled", date(2026, 1, 31))
        assert past.released_at
        assert counters(project) == ("10", "5", "0")
        assert not [one.invariant.code for one in verify() if one.failures]

    def test_keeps_a_notice_that_runs(self, run, acme, project):
        run(line(status="cancelled", ended_at="2026-12-31"))

        allocation = Allocation.objects.get()
        assert allocation.effective_to == date(2026, 12, 31)
        assert allocation.released_at is None
        assert counters(project) == ("10", "5", "0")

    def test_decides_once_whether_a_row_is_over(self, acme, project, monkeypatch):
        former = former_of(acme, project, ends_on=NOON.date(), ending="cancelled")
        before_and_after_midnight = iter([False, True, True])
        monkeypatch.setattr(
            FormerAllocation, "is_over", property(lambda _: next(before_and_after_midnight))
        )

        (made,) = import_allocation(former)

        assert made.released_at is None
        assert counters(project) == ("10", "5", "0")

    def test_compares_the_fee_with_the_rate_and_stores_none(self, run, acme, project):
        found, _ = run(line(monthly_fee="62.50"), line("a-2", capacity_kw="1", monthly_fee="20"))

        assert found == [("note", "monthly_fee", "The project's rate says €12.50 a month.")]
        assert Allocation.objects.count() == 2

    @pytest.mark.parametrize(
        ("values", "column", "problem"),
        [
            ({"project_id": "barn"}, "project", "no such project"),
            ({"block_id": "Z9"}, "block", "has no such block"),
            ({"email": "bob@example.com"}, "email", "owns no organization"),
            ({"email": "", "user_id": "u-9"}, "account", "was not imported"),
            ({"organization": "nobody"}, "organization", "no such organization"),
            ({"capacity_kw": "0"}, "capacity_kw", "cannot be so large"),
            ({"capacity_kw": "many"}, "capacity_kw", "no number"),
            ({"capacity_kw": "40"}, "", "40.000 kW were asked for"),
            ({"status": "pending"}, "status", "neither allocated nor ended"),
            ({"status": "ended", "ended_at": "2025-12-01"}, "block", "belongs to a block"),
            ({"status": "ended", "ended_at": "2024-12-01"}, "ends_on", "ended before"),
            ({"status": "ended"}, "ends_on", "Nothing stands here"),
            ({"created_at": "soon"}, "starts_on", "no time"),
            ({"created_at": "0001-01-01 00:00:00+01"}, "starts_on", "no time"),
            ({"monthly_fee": "free"}, "monthly_fee", "no number"),
            ({"id": "a/1"}, "id", "no id"),
            ({"ended_at": "1,2"}, "", "12 values"),
        ],
    )
    def test_says_what_cannot_be_matched(self, run, acme, project, values, column, problem):
        ((kind, named, said),), end = run(line(**values))

        assert (kind, named) == ("problem", column)
        assert problem in said
        assert "Left out: 1" in end
        assert not Allocation.objects.exists()

    @pytest.mark.parametrize(
        ("standing", "problem"),
        [({"is_active": False}, "deactivated"), ({"clock_at": NOON}, "sandbox")],
    )
    def test_gives_nothing_to_who_may_have_nothing(self, run, acme, project, standing, problem):
        former = former_of(acme, project)  # as it was when its row was read
        Organization.objects.filter(pk=acme.pk).update(**standing)

        ((kind, _, said),), _ = run(line(organization=acme.slug))
        with pytest.raises(DomainError, match=problem):
            import_allocation(former)

        assert kind == "problem"
        assert problem in said
        assert not Allocation.objects.exists()

    def test_takes_no_block_that_is_anothers(self, run, acme, project):
        (theirs,) = allocate(make_organization(name="Other"), project, 5, mode="exact")
        past = {"status": "ended", "ended_at": "2027-01-01"}
        found, _ = run(
            line(block_id=theirs.block.serial),
            line("a-2", block_id=theirs.block.serial, capacity_kw="4"),
            line("a-3", block_id=theirs.block.serial, **past),
        )

        assert [column for _, column, _ in found] == ["block", "capacity_kw", "block"]
        assert list(Allocation.objects.all()) == [theirs]

    def test_has_no_day_of_a_block_with_two_owners(self, run, acme, project):
        serial = block_of(project, 5).serial
        past = {"block_id": serial, "status": "ended", "ended_at": "2026-02-01"}
        found, _ = run(line("past", **past), line("live", block_id=serial))

        assert [column for _, column, _ in found] == ["starts_on"]
        assert counters(project) == ("10", "0", "0")

    def test_minds_nobody_who_had_a_block_on_no_day(self, run, acme, project):
        (his,) = allocate(make_organization(name="Other"), project, 5, mode="exact")
        withdraw_allocations(allocations=[his], reason="A mistake, on the same day")

        assert run(line(block_id=his.block.serial))[0] == []
        assert counters(project) == ("10", "5", "0")
        assert not [one.invariant.code for one in verify() if one.failures]

    def test_comes_before_the_readings_of_its_days(self, run, acme, project):
        GenerationReading.objects.create(
            project=project,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 1, 31),
            energy_wh=1,
            source="staff",
        )
        found, _ = run(line(), line("a-2", created_at="2026-02-01"))
        assert [column for _, column, _ in found] == ["starts_on"]
        assert Allocation.objects.get().former_id == "a-2"

        later = date(2026, 3, 1)
        assert run(line(capacity_kw="1"), since=later)[0] == []
        assert Allocation.objects.get(former_id="a-1").effective_from == later

    def test_refuses_a_row_that_says_something_else_than_before(self, run, acme, project):
        run(line())
        other = make_organization(name="Other")
        found, _ = run(line(organization=other.slug))

        assert [column for _, column, _ in found] == ["id"]
        assert Allocation.objects.get().organization == acme

    def test_refuses_another_block_or_an_end_that_was_not_there_before(self, run, acme, project):
        run(line(capacity_kw="2"))
        (made,) = Allocation.objects.all()
        other = project.blocks.filter(capacity_kw=2).exclude(pk=made.block_id).get()
        ended = {"capacity_kw": "2", "status": "cancelled", "ended_at": "2026-06-01"}
        block, _ = run(line(capacity_kw="2", block_id=other.serial))
        end, _ = run(line(**ended))
        withdraw_allocations(allocations=Allocation.objects.all(), reason="As it was there")

        assert [column for _, column, _ in block + end] == ["id", "ends_on"]
        assert run(line(**ended))[0] == run(line(capacity_kw="2"))[0] == []
        assert Allocation.objects.get() == made

    def test_refuses_an_end_that_comes_before_the_one_that_was_imported(self, run, acme, project):
        run(line(status="cancelled", ended_at="2026-12-31"))
        later, _ = run(line(status="cancelled", ended_at="2027-01-31"))
        sooner, _ = run(line(status="cancelled", ended_at="2026-12-01"))
        withdraw_allocations(allocations=Allocation.objects.all(), reason="As it was there")

        assert (later, [column for _, column, _ in sooner]) == ([], ["ends_on"])
        assert run(line(status="cancelled", ended_at="2026-12-01"))[0] == []

    def test_needs_to_know_which_organization_of_several(self, run, acme, project):
        second = make_organization(owner=owners_of(acme).get(), name="Second")
        found, _ = run(line(), line("a-2", organization=second.public_id))

        assert [problem for *_, problem in found] == ["It owns several organizations."]
        assert Allocation.objects.get().organization == second

    def test_knows_a_former_account_that_was_imported(self, run, acme, project):
        import_balance(FormerBalance("u-1", acme, 0))

        assert run(line(email="", user_id="u-1"))[0] == []
        assert Allocation.objects.get().organization == acme

    def test_ignores_caps_and_whether_the_project_is_open(self, run, acme):
        make_project(5, code="roof", customer_cap_kw=Decimal(1), status="draft")

        assert run(line())[0] == []
        assert Allocation.objects.count() == 1

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"id,project\n", "no column starts_on"),
            (b"id,id,project,starts_on\n", "two columns id"),
            (HEADER.encode() + b"\n\xff", "not UTF-8"),
            (HEADER.encode() + b'\n"a"b', "cannot be read"),
        ],
    )
    def test_refuses_a_file_that_is_no_table(self, tmp_path, text, said):
        file = tmp_path / "former.csv"
        file.write_bytes(text)

        with pytest.raises(CommandError, match=said):
            call_command("import_allocations", file, stdout=StringIO())
        with pytest.raises(CommandError, match="cannot be opened"):
            call_command("import_allocations", tmp_path / "none.csv", stdout=StringIO())

    def test_writes_no_report_over_the_file(self, tmp_path):
        file = tmp_path / "former.csv"
        file.write_text(HEADER)

        with pytest.raises(CommandError, match="would overwrite the file"):
            call_command("import_allocations", file, report=file, stdout=StringIO())
        assert file.read_text() == HEADER


def test_samples_of_the_demo_are_imported_as_the_guide_says(tmp_path):
    for name in ("Acme", "Green Neighbours"):
        make_organization(name=name)
    make_project(1, 1, 1, 1, 1, code="north-roof", fee=450)
    make_project("2.5", 5, code="harbour-field", fee=450)
    samples, report, out = Path("demo/former"), tmp_path / "report.csv", StringIO()
    call_command("import_balances", samples / "users.csv", apply=True, stdout=out)
    call_command("import_ledger", samples / "credit_ledger.csv", apply=True, stdout=out)
    with pytest.raises(CommandError, match="Left out: 1"):
        call_command(
            "import_allocations",
            samples / "allocations.csv",
            report=report,
            since=NOON.date(),
            apply=True,
            stdout=out,
        )

    assert "accounts=2 movements=6" in out.getvalue()
    assert Allocation.objects.count() == 5
    lines = report.read_text().splitlines()[1:]
    assert [line.split(",")[1:3] for line in lines] == [
        ["note", "monthly_fee"],
        ["problem", "status"],
    ]
