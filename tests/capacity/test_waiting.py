"""Who finds too little free waits: joining, leaving, and the first place of who paid too late."""

from decimal import Decimal

import pytest

from apps.capacity.errors import (
    AlreadyWaiting,
    CapacityIsFree,
    CapExceeded,
    NoExactFit,
    NotInSandbox,
    OvershootNotAgreed,
    ProjectNotOpen,
    WaitingEnded,
    WishTooLarge,
)
from apps.capacity.models import Allocation, Project, Reservation, WaitlistEntry
from apps.capacity.selectors.waiting import in_line
from apps.capacity.services import projects
from apps.capacity.services.offering import offer_blocks, withdraw_the_closed
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.settling import settle, settle_offline
from apps.capacity.services.sweeping import expire_reservations
from apps.capacity.services.waiting import leave
from apps.core import scope
from apps.core.invariants import verify
from apps.core.walls import WEB
from apps.tenants.models import Organization
from apps.tenants.services.standing import close_organization
from tests.authorization.silence import without_triggers
from tests.capacity.conftest import NOON
from tests.capacity.lines import (
    free,
    full_project,
    offered,
    position,
    statuses,
    wait,
)
from tests.capacity.plants import (
    allocate,
    counters,
    hold,
    later,
    make_payment,
    make_project,
    past_its_hold,
)
from tests.people import make_organization
from tests.roles import role

pytestmark = pytest.mark.django_db


@pytest.fixture
def other():
    return make_organization()


def make_it_full(project: Project) -> Project:
    """Let somebody have what is free of a project, and what is past its hold."""
    allocate(make_organization(), project, 5)
    return project


class TestJoining:
    def test_stands_at_the_end(self, acme, other):
        project, _ = full_project(5)
        first, second = wait(acme, project, 5), wait(other, project, 3)

        assert (first.status, first.created_at) == ("waiting", NOON)
        assert (position(first), position(second)) == (1, 2)
        assert list(in_line(project)) == [first, second]
        project.refresh_from_db()
        assert project.waiting_count == 2

    def test_is_for_who_would_get_nothing_now(self, acme):
        with pytest.raises(CapacityIsFree, match=r"5\.000 kW"):
            wait(acme, make_project(5), 5)

    def test_is_for_everybody_while_somebody_waits(self, acme, other):
        project, allocations = full_project(5)
        wait(acme, project, 5)
        free(allocations)

        assert wait(other, project, 5).status == "waiting"

    @pytest.mark.parametrize(
        ("terms", "refusal"),
        [({"mode": "exact"}, NoExactFit), ({}, OvershootNotAgreed)],
    )
    def test_refuses_a_wish_that_more_kw_would_not_help(self, acme, terms, refusal):
        with pytest.raises(refusal):
            wait(acme, make_project(5), 4, **terms)

    def test_refuses_a_second_wish_for_a_project(self, acme):
        project, allocations = full_project(5)
        wait(acme, project, 5)
        with pytest.raises(AlreadyWaiting):
            wait(acme, project, 3)
        free(allocations)
        offer_blocks(project.pk)
        with pytest.raises(AlreadyWaiting):
            wait(acme, project, 3)

    def test_needs_no_sweep_after_an_offer_whose_window_has_passed(self, acme, other):
        entry = offered(acme, 5)
        with later(hours=48):
            with pytest.raises(CapacityIsFree):  # what was offered to him, and nobody waits for
                wait(acme, entry.project, 5)
            assert statuses(entry) == ["offered"]
            wait(other, make_it_full(entry.project), 5)
            again = wait(acme, entry.project, 5)

            assert statuses(entry, again) == ["lapsed", "waiting"]
            assert position(again) == 2
        entry.reservation.refresh_from_db()
        assert entry.reservation.status == "expired"

    def test_refuses_more_than_there_ever_will_be(self, acme):
        project, _ = full_project(5)
        with pytest.raises(WishTooLarge, match=r"5\.000"):
            wait(acme, project, 6)

        exact = {"mode": "exact", "tolerance_kw": "1"}
        assert leave(entry=wait(acme, project, 6, **exact)).status == "withdrawn"
        assert wait(acme, project, 6, allow_partial=True).status == "waiting"

    def test_refuses_more_than_one_customer_may_have(self, acme):
        project, _ = full_project(5)
        projects.change_project(project, customer_cap_kw=Decimal(4))
        with pytest.raises(CapExceeded):
            wait(acme, project, 5)

    def test_refuses_a_closed_project_and_a_sandbox(self, acme):
        project, _ = full_project(5)
        Organization.objects.filter(pk=acme.pk).update(clock_at=NOON)
        with pytest.raises(NotInSandbox):
            wait(acme, project, 5)
        projects.change_project(project, status="closed")
        with pytest.raises(ProjectNotOpen):
            wait(make_organization(), project, 5)


class TestLeaving:
    def test_lets_the_others_move_up(self, acme, other):
        project, _ = full_project(5)
        first, second = wait(acme, project, 5), wait(other, project, 5)

        for _ in range(2):
            assert leave(entry=first).status == "withdrawn"

        assert (position(first), position(second)) == (None, 1)
        project.refresh_from_db()
        assert project.waiting_count == 1

    def test_of_an_offer_declines_it(self, acme):
        entry = offered(acme, 5)

        for _ in range(2):
            assert leave(entry=entry).status == "declined"

        assert counters(entry.project) == ("5", "0", "0")

    def test_refuses_what_was_taken(self, acme):
        entry = offered(acme, 5)
        settle_offline(reservation=entry.reservation, reference="transfer 1")

        with pytest.raises(WaitingEnded, match="taken"):
            leave(entry=entry)
        assert counters(entry.project) == ("5", "5", "0")


class TestALatePayment:
    @pytest.fixture
    def late(self, acme):
        """Return a reservation past its hold, whose block has been another's since."""
        project = make_project(5)
        reservation = hold(acme, project, 5)
        with past_its_hold():
            expire_reservations()
            allocate(make_organization(), project, 5)
        return reservation

    def pay(self, reservation) -> str:
        payment = make_payment(reservation.organization)
        with past_its_hold():
            return settle(reservation=reservation, payment=payment).status

    def test_gives_the_first_place(self, late, acme, other):
        earlier = wait(other, late.project, 5)

        assert self.pay(late) == "late"
        entry = WaitlistEntry.objects.get(organization=acme)
        assert (entry.comes_first, entry.requested_kw) == (True, 5)
        assert list(in_line(late.project)) == [entry, earlier]
        assert (position(entry), position(earlier)) == (1, 2)

    def test_gives_no_place_for_more_than_was_paid(self, acme):
        project = make_project(3)
        reservation = hold(acme, project, 10, allow_partial=True)
        with past_its_hold():
            expire_reservations()
            allocate(make_organization(), project, 3)
            settle(reservation=reservation, payment=make_payment(acme, kw=3))

        assert WaitlistEntry.objects.get().requested_kw == 3

    def test_gives_it_instead_of_a_later_one(self, late, acme, other):
        wait(other, late.project, 5)
        own = wait(acme, late.project, 3)
        self.pay(late)

        assert statuses(own) == ["withdrawn"]
        assert in_line(late.project)[0].organization == acme
        assert Project.objects.get(pk=late.project_id).waiting_count == 2

    def test_leaves_him_the_offer_that_he_has(self, late, acme):
        own = wait(acme, late.project, 5)
        free(list(Allocation.objects.filter(released_at=None)))
        with past_its_hold():
            offer_blocks(late.project_id)

        assert self.pay(late) == "late"
        assert statuses(own) == ["offered"]
        assert WaitlistEntry.objects.get() == own

    def test_gives_it_after_an_offer_whose_window_has_passed(self, late, acme, other):
        own = wait(acme, late.project, 5)
        free(list(Allocation.objects.filter(released_at=None)))
        with past_its_hold():
            offer_blocks(late.project_id)
        with later(hours=49):
            wait(other, make_it_full(late.project), 5)
            assert settle(reservation=late, payment=make_payment(acme)).status == "late"

        assert statuses(own) == ["lapsed"]
        first = in_line(late.project)[0]
        assert (first.organization, first.comes_first) == (acme, True)

    @pytest.mark.parametrize("reason", ["given back", "closed"])
    def test_gives_none_to_who_does_not_want_it_or_may_not_have_it(self, acme, reason):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        if reason == "closed":
            projects.change_project(project, status="closed")
        else:
            release_reservation(reservation=reservation)

        assert self.pay(reservation) == "late"
        assert not WaitlistEntry.objects.exists()

    def test_does_not_take_what_others_wait_for(self, late, other):
        entry = wait(other, late.project, 5)
        free(list(Allocation.objects.filter(released_at=None)))

        assert self.pay(late) == "late"
        assert statuses(entry) == ["waiting"]

    def test_takes_what_it_holds_still_though_others_wait(self, acme, other):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        wait(other, project, 5)

        assert self.pay(reservation) == "allocated"


class TestClosing:
    def test_ends_the_waiting(self, acme):
        project, _ = full_project(5)
        entry = wait(acme, project, 5)
        close_organization(organization=acme, confirmation=acme.slug)

        assert withdraw_the_closed() == 1
        assert statuses(entry) == ["withdrawn"]
        project.refresh_from_db()
        assert project.waiting_count == 0


class TestInvariants:
    def broken(self) -> set[str]:
        return {one.invariant.code for one in verify() if one.failures}

    def test_hold_after_everything_that_can_happen(self, acme, other):
        leave(entry=offered(acme, 5))
        offered(other, 5)
        project, allocations = full_project(5)
        entries = [wait(make_organization(), project, kw) for kw in (4, 5, 5)]
        free(allocations)
        offer_blocks(project.pk)

        assert statuses(*entries) == ["waiting", "offered", "waiting"]
        assert self.broken() == set()

    @pytest.mark.parametrize(
        ("model", "values", "code"),
        [
            (Project, {"waiting_count": 7}, "C10"),
            (WaitlistEntry, {"passed_over_at": None}, "C10"),
            (Reservation, {"status": "expired", "ended_at": NOON}, "C06"),
            (WaitlistEntry, {"status": "taken", "ended_at": NOON}, "C06"),
        ],
    )
    def test_find_what_is_not_so(self, acme, other, model, values, code):
        project, allocations = full_project(5)
        wait(acme, project, 4)
        with later(hours=1):
            wait(other, project, 5)
            free(allocations)
            offer_blocks(project.pk)
        rows = model.objects.all()
        if "status" in values:
            rows = rows.filter(status__in=["held", "offered"])
        with without_triggers(model):
            rows.update(**values)

        assert code in self.broken()


class TestTheWeb:
    def test_joins_sees_its_place_and_leaves(self, acme, other):
        project, _ = full_project(5)
        first = wait(other, project, 5)
        with scope.entered(scope.Scope(organization_id=acme.pk)), role(WEB):
            entry = wait(acme, project, 5)
            assert position(entry) == 2
            assert not WaitlistEntry.objects.across_organizations("a test").filter(pk=first.pk)
            leave(entry=entry)

        project.refresh_from_db()
        assert project.waiting_count == 1
