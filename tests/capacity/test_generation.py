"""What a project generates is divided to the Wh, and posted once as credits."""

from datetime import date
from decimal import Decimal

import pytest

from apps.capacity.errors import ReadingCorrected, ReadingExists, ReadingRefused
from apps.capacity.models import Project
from apps.capacity.services import projects
from apps.capacity.services.ending import withdraw_allocations
from apps.capacity.services.handing_on import transfer_allocations
from apps.tenants.models import AuditLog, Organization
from tests.capacity.conftest import NOON
from tests.capacity.months import (
    KWH,
    OCTOBER,
    SEPTEMBER,
    correct,
    generate,
    had_since,
    on,
    read,
    share_of,
)
from tests.capacity.plants import make_project
from tests.people import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def zeta():
    return make_organization()


class TestRecording:
    def test_the_same_facts_are_the_same_reading(self):
        project = make_project(5)

        assert read(project, 5) == read(project, 5)
        assert AuditLog.objects.filter(action="capacity.reading_recorded").count() == 1

    def test_needs_no_rate(self):
        project = projects.create_project(code="roof", name="Roof", capacity_kw=Decimal(5))

        assert read(project, 5).energy_wh == 5

    def test_other_facts_for_the_period_are_a_correction(self):
        project = make_project(5)
        read(project, 5)
        with pytest.raises(ReadingExists) as refusal:
            read(project, 6)

        assert "correct it" in str(refusal.value)

    @pytest.mark.parametrize(
        ("wh", "begin", "end"),
        [
            (-1, *OCTOBER),
            (2 * 10**15, *OCTOBER),
            (1, date(2026, 10, 2), date(2026, 10, 1)),
            (1, date(2026, 10, 1), NOON.date()),
            (1, date(2025, 1, 1), date(2026, 1, 2)),
            (1, date(2026, 9, 1), date(2026, 9, 29)),
            (1, date(2026, 11, 9), date(2026, 11, 11)),
            (1, date(2026, 10, 31), date(2026, 11, 1)),
        ],
    )
    def test_refuses_what_cannot_be(self, wh, begin, end):
        project = make_project(5, starts_on=date(2026, 9, 2), ends_on=date(2026, 11, 10))
        read(project, 5, (date(2026, 10, 31), date(2026, 10, 31)))
        with pytest.raises(ReadingRefused):
            read(project, wh, (begin, end))

    def test_refuses_more_than_the_ledger_takes(self):
        project = make_project(5)
        with on(11):
            projects.set_rate(
                project=project,
                effective_from=date(2026, 12, 1),
                fee=1,
                credits_per_kwh=Decimal(10**9),
            )
        read(project, 10**9)
        with pytest.raises(ReadingRefused):
            read(project, 10**9 + 1, SEPTEMBER)

    def test_a_correction_is_corrected_and_not_what_it_corrected(self):
        first = read(make_project(5), 5)
        second = correct(first, 6)

        assert correct(first, 6) == second
        with pytest.raises(ReadingCorrected):
            correct(first, 7)
        with pytest.raises(ReadingRefused):
            correct(second, 6)
        assert correct(second, 5).correction_of == second


class TestDividing:
    def test_by_kw_and_the_rest_is_the_banks(self, acme, zeta):
        project = make_project(3, 4, capacity_kw=Decimal(10))
        had_since(acme, project, 3, month=9)
        had_since(zeta, project, 4, month=9)

        reading = generate(project, 1001)

        assert share_of(acme, reading).energy_wh == 300
        assert share_of(zeta, reading).energy_wh == 401  # .4 is more than .3 and .3
        assert reading.banked_wh == 300
        percents = (share_of(acme, reading).percent, reading.banked_percent)
        assert percents == (Decimal(30), Decimal(30))

    def test_what_is_left_over_goes_to_the_largest_remainders(self, acme):
        project = make_project(1, 1, 1, capacity_kw=Decimal(3))
        had_since(acme, project, 3, month=9)

        reading = generate(project, 2)

        shares = reading.shares.order_by("allocation_id")
        assert [share.energy_wh for share in shares] == [1, 1, 0]
        assert [str(share.percent) for share in shares] == ["33.334", "33.333", "33.333"]
        assert (reading.banked_wh, reading.banked_percent) == (0, 0)

    def test_by_days_where_it_was_handed_on(self, acme, zeta):
        project = make_project(5, capacity_kw=Decimal(5))
        allocations = had_since(acme, project, 5, month=9)
        with on(10, 11):  # the 11th is the other's
            transfer_allocations(allocations=allocations, to=zeta, reason="Sold")

        reading = generate(project, 31 * KWH)

        assert share_of(acme, reading).energy_wh == 10 * KWH
        assert share_of(zeta, reading).energy_wh == 21 * KWH

    def test_leaves_out_who_had_no_day(self, acme, zeta):
        project = make_project(5, 5, capacity_kw=Decimal(10))
        with on(10, 1):
            withdraw_allocations(allocations=had_since(acme, project, 5, month=9), reason="Over")
        had_since(zeta, project, 5, month=11)

        reading = generate(project, 31)

        assert not reading.shares.exists()
        assert reading.banked_wh == 31

    def test_gives_the_bank_nothing_of_a_capacity_that_was_lowered(self, acme):
        project = make_project(5, 5, capacity_kw=Decimal(10))
        had_since(acme, project, 5, month=9)
        Project.objects.update(capacity_kw=Decimal(2), blocks_kw=2, allocated_kw=0)

        reading = generate(project, 100)

        assert (share_of(acme, reading).energy_wh, reading.banked_wh) == (100, 0)

    def test_gives_the_bank_what_a_closed_organization_had(self, acme, zeta):
        project = make_project(5, 5, capacity_kw=Decimal(10))
        had_since(acme, project, 5, month=9)
        had_since(zeta, project, 5, month=9)
        Organization.objects.filter(pk=acme.pk).update(closed_at=NOON, is_active=False)

        reading = generate(project, 100)

        assert (share_of(zeta, reading).energy_wh, reading.banked_wh) == (50, 50)
        assert reading.shares.count() == 1
