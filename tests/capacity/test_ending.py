"""Allocations that end or are handed on, and what the clock does."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.capacity.errors import AllocationsRefused, CapExceeded, NoExactFit, ProjectNotOpen
from apps.capacity.models import Allocation, Reservation
from apps.capacity.selectors.holdings import allocations_of, holdings_of
from apps.capacity.services import offering, projects, sweeping
from apps.capacity.services.ending import cancel_allocations, withdraw_allocations
from apps.capacity.services.handing_on import move_allocations, transfer_allocations
from apps.capacity.services.offering import offer_to_next
from apps.capacity.services.reserving import end_reservation
from apps.capacity.services.sweeping import end_due_allocations, expire_reservations
from apps.capacity.tasks import sweep_capacity
from apps.tenants.models import AuditLog
from tests.capacity.conftest import NOON
from tests.capacity.lines import free, full_project, statuses, wait
from tests.capacity.plants import allocate, counters, hold, later, make_project, past_its_hold
from tests.people import make_organization

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
DAY = timedelta(days=1)


def standings(organization) -> list[str]:
    return sorted(one.standing for one in allocations_of(organization, NOON))


class TestCancelling:
    def test_ends_when_the_notice_is_over(self, acme):
        project = make_project(5, 3)
        allocations = allocate(acme, project, 8)

        (cancelled,) = cancel_allocations(organization=acme, allocations=allocations[:1])

        assert cancelled.effective_to == TODAY + 30 * DAY
        assert standings(acme) == ["active", "ending"]
        assert counters(project) == ("8", "8", "0")
        with later(days=29):
            assert end_due_allocations() == 0
        with later(days=30):
            assert end_due_allocations() == 1
            assert end_due_allocations() == 0
        assert counters(project) == ("8", "3", "0")
        assert standings(acme) == ["active", "ended"]
        cancelled.refresh_from_db()
        assert cancelled.released_at == NOON + 30 * DAY

    def test_does_not_move_an_end_that_stands(self, acme):
        allocations = allocate(acme, make_project(5), 5)
        cancel_allocations(organization=acme, allocations=allocations)
        with later(days=7):
            (again,) = cancel_allocations(organization=acme, allocations=allocations)

        assert again.effective_to == TODAY + 30 * DAY

    def test_ends_today_without_notice_and_lets_another_begin_today(self, acme):
        project = make_project(5, notice_days=0)
        cancel_allocations(organization=acme, allocations=allocate(acme, project, 5))

        (next_one,) = allocate(make_organization(), project, 5)

        former = Allocation.objects.get(organization=acme)
        assert former.effective_to == next_one.effective_from == TODAY
        assert former.block == next_one.block

    def test_ends_at_once_what_has_no_day_left(self, acme):
        project = make_project(5, starts_on=TODAY + 60 * DAY)
        (ended,) = cancel_allocations(organization=acme, allocations=allocate(acme, project, 5))

        assert ended.effective_to == ended.effective_from
        assert counters(project) == ("5", "0", "0")

    def test_refuses_none_ended_and_anothers(self, acme):
        project = make_project(5, 3)
        mine, theirs = allocate(acme, project, 5), allocate(make_organization(), project, 3)
        withdraw_allocations(allocations=mine, reason="Moved away")

        for chosen in ([], mine, theirs):
            with pytest.raises(AllocationsRefused):
                cancel_allocations(organization=acme, allocations=chosen)


class TestWithdrawing:
    def test_ends_today_with_a_reason(self, acme):
        project = make_project(5)
        allocations = allocate(acme, project, 5)
        cancel_allocations(organization=acme, allocations=allocations)

        withdraw_allocations(allocations=allocations, reason="The roof is gone")

        ended = Allocation.objects.get()
        assert (ended.effective_to, ended.ending) == (TODAY, "withdrawn")
        assert counters(project) == ("5", "0", "0")
        assert AuditLog.objects.get(action="capacity.withdraw").reason == "The roof is gone"

    def test_does_not_lengthen_what_is_due(self, acme):
        allocations = allocate(acme, make_project(5), 5)
        cancel_allocations(organization=acme, allocations=allocations)
        with later(days=33):
            withdraw_allocations(allocations=allocations, reason="The sweep is late")

        ended = Allocation.objects.get()
        assert (ended.effective_to, ended.ending) == (TODAY + 30 * DAY, "cancelled")
        assert ended.released_at == NOON + 33 * DAY

    def test_refuses_those_of_two_organizations(self, acme):
        project = make_project(5, 3)
        both = allocate(acme, project, 5) + allocate(make_organization(), project, 3)
        with pytest.raises(AllocationsRefused, match="several organizations"):
            withdraw_allocations(allocations=both, reason="Both")


class TestTransferring:
    def test_leaves_no_day_without_an_owner_or_with_two(self, acme):
        project, other = make_project(5, 3), make_organization()
        allocations = allocate(acme, project, 8)
        with later(days=10):
            (made,) = transfer_allocations(allocations=allocations[:1], to=other, reason="Sold")

        former = Allocation.objects.get(pk=allocations[0].pk)
        assert former.effective_to == made.effective_from == TODAY + 10 * DAY
        assert (made.organization, made.follows, made.block) == (other, former, former.block)
        assert counters(project) == ("8", "8", "0")
        actions = AuditLog.objects.filter(action__in=["capacity.transfer", "capacity.receive"])
        assert {row.organization for row in actions} == {acme, other}

    def test_refuses_the_same_organization_and_one_that_may_not(self, acme):
        project, other = make_project(5, 3, customer_cap_kw=5), make_organization()
        allocations = allocate(acme, project, 5)
        hold(other, project, 3)

        with pytest.raises(AllocationsRefused, match="already"):
            transfer_allocations(allocations=allocations, to=acme, reason="Sold")
        with pytest.raises(CapExceeded):
            transfer_allocations(allocations=allocations, to=other, reason="Sold")
        projects.change_project(project, customer_cap_kw=None, status="closed")
        with pytest.raises(ProjectNotOpen):
            transfer_allocations(allocations=allocations, to=other, reason="Sold")

        assert counters(project) == ("8", "5", "3")


class TestHandingOn:
    def test_refuses_what_is_cancelled(self, acme):
        project, to = make_project(5, 3), make_project(8)
        allocations = allocate(acme, project, 8)
        cancel_allocations(organization=acme, allocations=allocations[:1])

        with pytest.raises(AllocationsRefused, match="cancelled already"):
            move_allocations(allocations=allocations, to=to, reason="Repairs")
        with pytest.raises(AllocationsRefused, match="cancelled already"):
            transfer_allocations(allocations=allocations, to=make_organization(), reason="Sold")

        assert standings(acme) == ["active", "ending"]
        assert counters(to) == ("8", "0", "0")


class TestMoving:
    def test_takes_as_many_kw_of_the_other_project(self, acme):
        old, new = make_project(5, 3), make_project(6, 2, 1)
        made = move_allocations(allocations=allocate(acme, old, 8), to=new, reason="Repairs")

        assert {one.capacity_kw for one in made} == {6, 2}
        assert {one.ending for one in Allocation.objects.filter(block__project=old)} == {"moved"}
        assert counters(old) == ("8", "0", "0")
        assert counters(new) == ("9", "8", "0")
        row = AuditLog.objects.get(action="capacity.move")
        assert set(row.after["into"]) == {one.public_id for one in made}

    def test_changes_nothing_when_no_blocks_add_up(self, acme):
        old, new = make_project(5), make_project(6)
        allocations = allocate(acme, old, 5)
        with pytest.raises(NoExactFit):
            move_allocations(allocations=allocations, to=new, reason="Repairs")
        with pytest.raises(AllocationsRefused, match="already"):
            move_allocations(allocations=allocations, to=old, reason="Repairs")

        assert counters(old) == ("5", "5", "0")
        assert counters(new) == ("6", "0", "0")


class TestTheSweep:
    def test_expires_what_is_past_its_hold_once(self, acme):
        project = make_project(5, 3)
        reservation = hold(acme, project, 5)
        assert expire_reservations() == 0

        with past_its_hold():
            hold(acme, project, 3, mode="exact")
            assert expire_reservations() == 1
            assert expire_reservations() == 0

        reservation.refresh_from_db()
        assert reservation.status == "expired"
        assert counters(project) == ("8", "0", "3")

    def test_goes_on_past_what_breaks_and_tells_of_it(self, acme, monkeypatch):
        broken, fine = hold(acme, make_project(5), 5), hold(acme, make_project(3), 3)
        project, allocations = full_project(2)
        entry = wait(acme, project, 2)
        free(allocations)

        def end(project, reservation, *rest):
            assert reservation != broken, "something that nobody thought of"
            end_reservation(project, reservation, *rest)

        monkeypatch.setattr(sweeping, "end_reservation", end)
        with past_its_hold(), pytest.raises(ExceptionGroup):
            sweep_capacity()

        found = Reservation.objects.filter(pk__in=[broken.pk, fine.pk]).order_by("pk")
        assert [one.status for one in found] == ["held", "expired"]
        assert statuses(entry) == ["offered"]

    def test_offers_of_every_project_past_one_that_breaks(self, acme, monkeypatch):
        full = [full_project(5) for _ in range(3)]
        entries = [wait(acme, project, 5) for project, _ in full]
        for _, allocations in full:
            free(allocations)
        _, broken, _ = sorted(project.pk for project, _ in full)

        def look(project_id):
            assert project_id != broken, "something that nobody thought of"
            return offer_to_next(project_id)

        monkeypatch.setattr(offering, "offer_to_next", look)
        with pytest.raises(ExceptionGroup) as told:
            offering.sweep()

        assert sorted(statuses(*entries)) == ["offered", "offered", "waiting"]
        (error,) = told.value.exceptions
        assert error.__notes__ == [f"Of {broken}"]

    def test_leaves_to_others_what_they_took_meanwhile(self, acme):
        project = make_project(5)
        hold(acme, project, 5)
        with past_its_hold():
            hold(make_organization(), project, 5)
            assert expire_reservations() == 1

        assert counters(project) == ("5", "0", "5")


class TestAllocations:
    def test_have_one_live_one_of_a_block(self, acme):
        (allocation,) = allocate(acme, make_project(5), 5)
        fields = {"organization": acme, "block": allocation.block, "capacity_kw": 5}
        with pytest.raises(IntegrityError, match="one_live"), transaction.atomic():
            Allocation.objects.create(effective_from=TODAY, **fields)

    @pytest.mark.parametrize(
        "change", [{"capacity_kw": 9}, {"effective_from": TODAY - DAY}, {"reservation": None}]
    )
    def test_keep_their_terms(self, acme, change):
        allocate(acme, make_project(5), 5)
        with pytest.raises(DatabaseError), transaction.atomic():
            Allocation.objects.update(**change)

    def test_do_not_change_once_they_have_ended(self, acme):
        allocations = allocate(acme, make_project(5), 5)
        withdraw_allocations(allocations=allocations, reason="Over")
        with pytest.raises(DatabaseError), transaction.atomic():
            Allocation.objects.update(effective_to=TODAY + DAY)
        with pytest.raises(DatabaseError), transaction.atomic():
            Allocation.objects.all().delete()

    def test_are_summed_up_by_project(self, acme, django_assert_num_queries):
        first, second = make_project(5, 3, name="A"), make_project(2, name="B", fee=100)
        allocate(acme, first, 8)
        allocate(acme, second, 2)
        allocate(make_organization(), make_project(7), 7)

        with django_assert_num_queries(3):
            found = list(holdings_of(acme, NOON))

        assert [(one.project, one.blocks, one.capacity_kw) for one in found] == [
            (first, 2, 8),
            (second, 1, 2),
        ]
        assert [one.monthly_fee for one in found] == [8 * 1250, 200]

    def test_are_counted_by_the_database_as_well(self):
        project = make_project(5)
        with pytest.raises(IntegrityError, match="sells_no_kw_twice"), transaction.atomic():
            type(project).objects.filter(pk=project.pk).update(held_kw=6)
