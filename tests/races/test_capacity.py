"""Blocks that several want at once: real connections, real commits."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from apps.capacity.errors import (
    CapacityStillHad,
    InsufficientCapacity,
    PaymentNotForReservation,
)
from apps.capacity.models import Allocation, CapacityBlock, Reservation
from apps.capacity.selectors.projects import available_capacity
from apps.capacity.services.blocks import retire_blocks
from apps.capacity.services.ending import withdraw_allocations
from apps.capacity.services.handing_on import move_allocations
from apps.capacity.services.settling import settle, settle_offline
from apps.capacity.services.sweeping import expire_reservations
from apps.core.errors import DomainError
from apps.tenants.services.standing import close_organization
from tests.capacity.plants import allocate, hold, make_payment, make_project
from tests.invariants import broken
from tests.people import make_organization
from tests.races.locks import sent_without, taken_from
from tests.races.outcomes import how, tried
from tests.races.racing import at_once, meanwhile

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 12


def let_pass(*reservations: Reservation) -> None:
    """Put the end of holds into the past."""
    then = timezone.now() - timedelta(minutes=1)
    keys = [one.pk for one in reservations]
    Reservation.objects.filter(pk__in=keys).update(hold_expires_at=then)
    CapacityBlock.objects.filter(held_for__in=keys).update(held_until=then)


def end_pay_and_take_at_once() -> None:
    """Let a hold pass, and then sweep, pay, and reserve for another, all at once."""
    acme, other, project = make_organization(), make_organization(), make_project(5)
    mine, payment = hold(acme, project, 5), make_payment(acme)
    let_pass(mine)

    at_once(
        [
            expire_reservations,
            lambda: settle(reservation=mine, payment=payment),
            lambda: tried(lambda: hold(other, project, 5)),
        ]
    )

    mine.refresh_from_db()
    is_his = Allocation.objects.filter(reservation=mine).exists()
    has_other = Reservation.objects.filter(organization=other).exists()
    assert (mine.status, is_his, has_other) in [("allocated", True, False), ("late", False, True)]
    assert mine.payment == payment


class TestRacers:
    def test_get_no_kw_twice_and_leave_none_that_somebody_wanted(self):
        project = make_project(*[3, 1, 2, 4] * 4)  # 40 kW
        racers = [make_organization(name=f"Racer {number}") for number in range(RACERS)]

        def work(number):
            kw, mode = (5, "exact") if number % 2 else (4, "fifo")
            reservation = hold(racers[number], project, kw, mode=mode, max_overshoot_kw=3)
            return settle_offline(reservation=reservation, reference=f"transfer {number}")

        won = at_once(
            [lambda number=number: tried(lambda: work(number)) for number in range(RACERS)]
        )

        got = sum(one.capacity_kw for one in won if isinstance(one, Reservation))
        assert got + available_capacity(project) == 40
        assert sum(Allocation.objects.values_list("capacity_kw", flat=True)) == got
        # Refused is only who wants more than is left: nobody gives anything back here.
        refused = [one for one in won if isinstance(one, DomainError)]
        assert available_capacity(project) < 5 or not refused
        assert broken() == []

    @pytest.mark.parametrize("is_locked", [True, False])
    def test_wait_for_the_lock_of_the_project(self, is_locked):
        """Without it the second one chooses the block that the first is about to take."""
        project, first, second = make_project(5), make_organization(), make_organization()

        with nullcontext() if is_locked else taken_from("capacity_project")():
            outcome = meanwhile(
                lambda: hold(first, project, 5), lambda: how(lambda: hold(second, project, 5))
            )

        assert outcome is (InsufficientCapacity if is_locked else AssertionError)
        assert Reservation.objects.get().organization == first

    @pytest.mark.parametrize("is_locked", [True, False])
    def test_keep_their_organization_from_closing(self, is_locked):
        """Without its lock the one who closes it does not see what is being reserved."""
        acme, project = make_organization(), make_project(5)

        def close():
            close_organization(organization=acme, confirmation=acme.slug)

        with nullcontext() if is_locked else taken_from("tenants_organization")():
            outcome = meanwhile(lambda: hold(acme, project, 5), lambda: how(close))

        acme.refresh_from_db()
        assert outcome is (CapacityStillHad if is_locked else None)
        assert acme.is_active == is_locked


class TestAPayment:
    def test_that_comes_as_the_hold_ends_is_allocated_or_late_and_never_both(self):
        for _ in range(4):
            end_pay_and_take_at_once()

        assert broken() == []

    def test_that_is_told_of_several_times_is_allocated_once(self):
        acme = make_organization()
        reservation, payment = hold(acme, make_project(2, 3), 5), make_payment(acme)

        at_once([lambda: settle(reservation=reservation, payment=payment)] * 4)

        assert Allocation.objects.count() == 2
        assert broken() == []

    @pytest.mark.parametrize("is_locked", [True, False])
    def test_that_pays_for_one_reservation_is_refused_for_another_meanwhile(self, is_locked):
        """Without its lock the other one finds out from the index, which has no words for it."""
        acme = make_organization()
        one, two = (hold(acme, make_project(5), 5) for _ in range(2))
        payment = make_payment(acme)

        with nullcontext() if is_locked else sent_without("FOR UPDATE", about="billing_payment"):
            outcome = meanwhile(
                lambda: settle(reservation=one, payment=payment),
                lambda: how(lambda: settle(reservation=two, payment=payment)),
            )

        assert outcome is (PaymentNotForReservation if is_locked else IntegrityError)
        assert broken() == []

    def test_that_comes_before_the_sweep_has_its_turn_is_kept(self):
        reservation = hold(make_organization(), make_project(5), 5)
        let_pass(reservation)

        expired = meanwhile(
            lambda: settle_offline(reservation=reservation, reference="transfer"),
            expire_reservations,
        )

        reservation.refresh_from_db()
        assert (expired, reservation.status) == (0, "allocated")


class TestStaff:
    def test_who_move_blocks_across_each_other_do_not_wait_for_ever(self):
        acme, other = make_organization(), make_organization()
        one, two = make_project(5, 5), make_project(5, 5)
        mine, theirs = allocate(acme, one, 5), allocate(other, two, 5)

        at_once(
            [
                lambda: move_allocations(allocations=mine, to=two, reason="Repairs"),
                lambda: move_allocations(allocations=theirs, to=one, reason="Repairs"),
            ]
        )

        live = Allocation.objects.filter(released_at=None).select_related("block")
        assert {(row.organization, row.block.project_id) for row in live} == {
            (acme, two.pk),
            (other, one.pk),
        }
        assert broken() == []

    def test_who_retire_a_block_that_is_being_reserved_take_it_or_leave_it(self):
        acme, project = make_organization(), make_project(5)
        block = project.blocks.get()

        def retire():
            retire_blocks(project=project, blocks=[block], reason="Broken")

        at_once([lambda: tried(retire), lambda: tried(lambda: hold(acme, project, 5))])

        block.refresh_from_db()
        assert (block.state == "held") == Reservation.objects.exists()
        assert block.state in ("held", "retired")
        assert broken() == []

    def test_who_withdraw_twice_free_a_block_once(self):
        acme, project = make_organization(), make_project(5, 3)
        allocations = allocate(acme, project, 8)

        at_once(
            [lambda: tried(lambda: withdraw_allocations(allocations=allocations, reason="x"))] * 3
        )

        assert available_capacity(project) == 8
        assert broken() == []
