"""What is paid is allocated once, and what is paid too late as long as there are blocks."""

from datetime import timedelta

import pytest

from apps.billing.models import Payment
from apps.capacity.errors import PaymentNotForReservation, ReservationEnded, ReservationPaid
from apps.capacity.models import Allocation, ProjectRate, Reservation
from apps.capacity.services import projects
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.settling import settle, settle_offline
from apps.capacity.services.sweeping import expire_reservations
from apps.core import clock
from apps.tenants.models import Organization
from tests.capacity.conftest import NOON
from tests.capacity.plants import (
    add_block,
    counters,
    hold,
    later,
    make_payment,
    make_project,
    past_its_hold,
)
from tests.people import make_organization

pytestmark = pytest.mark.django_db


class TestSettling:
    def test_allocates_one_for_each_block_and_only_once(self, acme):
        project = make_project(5, 3)
        reservation, payment = hold(acme, project, 8), make_payment(acme, kw=8)

        for _ in range(2):
            settled = settle(reservation=reservation, payment=payment)

        assert settled.status == "allocated"
        assert settled.paid_at == NOON
        allocations = Allocation.objects.filter(reservation=reservation)
        assert {one.capacity_kw for one in allocations} == {5, 3}
        assert {one.effective_from for one in allocations} == {NOON.date()}
        assert counters(project) == ("8", "8", "0")

    def test_begins_with_the_first_day_of_the_project(self, acme):
        first = NOON.date().replace(month=12)
        reservation = hold(acme, make_project(5, starts_on=first), 5)

        settle(reservation=reservation, payment=make_payment(acme))

        assert Allocation.objects.get().effective_from == first

    def test_refuses_a_second_payment(self, acme):
        reservation = hold(acme, make_project(5), 5)
        settle(reservation=reservation, payment=make_payment(acme))

        with pytest.raises(ReservationPaid):
            settle(reservation=reservation, payment=make_payment(acme))
        with pytest.raises(ReservationPaid):
            settle_offline(reservation=reservation, reference="transfer 1")

    def test_refuses_a_payment_for_two_reservations(self, acme):
        project, payment = make_project(5, 5), make_payment(acme)
        settle(reservation=hold(acme, project, 5), payment=payment)
        second = hold(acme, project, 5)
        with pytest.raises(PaymentNotForReservation):
            settle(reservation=second, payment=payment)

    def test_refuses_a_payment_that_is_not_his_or_not_settled(self, acme):
        reservation = hold(acme, make_project(5), 5)
        for payment in (make_payment(acme, is_paid=False), make_payment(make_organization())):
            with pytest.raises(PaymentNotForReservation):
                settle(reservation=reservation, payment=payment)

    @pytest.mark.parametrize("terms", [{"kw": 4}, {"kw": 6}, {"currency": "usd"}])
    def test_refuses_a_payment_of_another_amount(self, acme, terms):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        with pytest.raises(PaymentNotForReservation):
            settle(reservation=reservation, payment=make_payment(acme, **terms))

        assert counters(project) == ("5", "0", "5")

    def test_looks_at_the_payment_as_it_is_now(self, acme):
        reservation, payment = hold(acme, make_project(5), 5), make_payment(acme)
        Payment.objects.update(status=Payment.Status.OPEN, settled_at=None)
        with pytest.raises(PaymentNotForReservation):
            settle(reservation=reservation, payment=payment)

    def test_asks_the_fee_of_the_day_of_the_reservation(self, acme):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        tomorrow = (reservation.created_at + timedelta(days=1)).date()
        ProjectRate.objects.create(
            project=project, effective_from=tomorrow, fee=1, credits_per_kwh=1
        )
        with clock.moved_to(reservation.created_at + timedelta(days=2)):
            settled = settle(reservation=reservation, payment=make_payment(acme))

        assert settled.status == "allocated"

    def test_allocates_what_is_past_its_hold_and_was_taken_by_nobody(self, acme):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        with past_its_hold():
            settle(reservation=reservation, payment=make_payment(acme))

        assert counters(project) == ("5", "5", "0")

    @pytest.mark.parametrize("is_swept", [True, False])
    def test_takes_other_blocks_when_its_own_are_gone(self, acme, is_swept):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        with past_its_hold():
            if is_swept:
                expire_reservations()
            hold(make_organization(), project, 5)
            for size in (4, 3, 2):
                add_block(project, size)
            settled = settle(reservation=reservation, payment=make_payment(acme))

        assert settled.status == "allocated"
        assert {one.capacity_kw for one in settled.allocations.all()} == {3, 2}
        assert counters(project) == ("14", "5", "5")

    def test_is_late_when_no_blocks_add_up_to_it(self, acme):
        project, payment = make_project(5), make_payment(acme)
        reservation = hold(acme, project, 5)
        with past_its_hold():
            hold(make_organization(), project, 5)
            add_block(project, 6)
            for _ in range(2):
                settled = settle(reservation=reservation, payment=payment)

        assert (settled.status, settled.payment) == ("late", payment)
        assert not Allocation.objects.exists()
        assert counters(project) == ("11", "0", "5")

    def test_is_late_when_he_had_given_it_back(self, acme):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        release_reservation(reservation=reservation)

        settled = settle(reservation=reservation, payment=make_payment(acme))

        assert settled.status == "late"
        assert counters(project) == ("5", "0", "0")

    @pytest.mark.parametrize("reason", ["closed", "cap", "inactive"])
    def test_is_late_past_its_hold_when_he_may_not_have_it_now(self, acme, reason):
        project = make_project(5, 5)
        reservation = hold(acme, project, 5)
        if reason == "closed":
            projects.change_project(project, status="closed")
        elif reason == "cap":
            projects.change_project(project, customer_cap_kw=4)
        else:
            Organization.objects.filter(pk=acme.pk).update(is_active=False)
        with past_its_hold():
            settled = settle(reservation=reservation, payment=make_payment(acme))

        assert settled.status == "late"
        assert counters(project) == ("10", "0", "0")

    def test_is_late_when_the_last_day_passes_in_the_hold(self, acme):
        project = make_project(5, ends_on=NOON.date(), hold_minutes=1440)
        reservation = hold(acme, project, 5)
        with later(hours=13):
            settled = settle(reservation=reservation, payment=make_payment(acme))

        assert settled.status == "late"
        assert counters(project) == ("5", "0", "0")

    def test_keeps_what_is_held_though_the_project_closes(self, acme):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        projects.change_project(project, status="closed")

        assert settle(reservation=reservation, payment=make_payment(acme)).status == "allocated"


class TestSettlingOffline:
    def test_allocates_once_for_its_reference(self, acme):
        reservation = hold(acme, make_project(5), 5)

        for _ in range(2):
            settled = settle_offline(reservation=reservation, reference="transfer 1")

        assert (settled.status, settled.offline_reference) == ("allocated", "transfer 1")
        assert Allocation.objects.count() == 1
        with pytest.raises(ReservationPaid):
            settle_offline(reservation=reservation, reference="transfer 2")

    def test_tells_that_it_is_too_late(self, acme):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        with past_its_hold():
            hold(make_organization(), project, 5)
            with pytest.raises(ReservationEnded, match="expired"):
                settle_offline(reservation=reservation, reference="transfer 1")

        reservation.refresh_from_db()
        assert reservation.status == "held"
        assert Reservation.objects.filter(paid_at=None).count() == 2
