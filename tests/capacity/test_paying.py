"""What follows from a payment that is settled: blocks, or the money goes back, and who is told."""

from decimal import Decimal

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from apps.billing.errors import BillingNotConfigured
from apps.billing.models import Payment, Refund
from apps.billing.services.giving_back import give_back
from apps.capacity.errors import NothingToPay, ReservationEnded
from apps.capacity.services import projects
from apps.capacity.services.paying import pay
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.settling import settle_offline
from apps.capacity.services.sweeping import expire_reservations
from apps.core import scope
from apps.core.invariants import verify
from apps.core.walls import WEB
from tests.capacity.conftest import NOON
from tests.capacity.plants import (
    begin_to_pay,
    counters,
    hold,
    make_project,
    money_comes,
    past_its_hold,
)
from tests.mails import send
from tests.people import make_organization, make_person
from tests.roles import role

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person(email="owner@acme.test")


@pytest.fixture
def acme(owner):
    return make_organization(owner=owner)


@pytest.fixture
def held(acme):
    return hold(acme, make_project(5), 5)


def release(held):
    release_reservation(reservation=held)


def mark_as_paid(held):
    settle_offline(reservation=held, reference="transfer 1")


def change_the_fee(held, fee=1):
    projects.set_rate(
        project=held.project,
        effective_from=NOON.date(),
        fee=fee,
        credits_per_kwh=Decimal(1),
    )


def broken() -> list[str]:
    return [found.invariant.code for found in verify() if found.failures]


class TestMoney:
    def test_that_comes_in_time_allocates(self, held):
        payment = money_comes(begin_to_pay(held))

        held.refresh_from_db()
        assert (held.status, held.payment) == ("allocated", payment)
        assert not Refund.objects.exists()
        assert broken() == []

    @pytest.mark.parametrize(
        ("before", "status"),
        [(release, "late"), (mark_as_paid, "allocated"), (change_the_fee, "held")],
    )
    def test_that_nothing_can_be_given_for_goes_back_whole(self, held, before, status):
        payment = begin_to_pay(held, tax=0)
        before(held)

        money_comes(payment)

        held.refresh_from_db()
        assert held.status == status
        refund = Refund.objects.get()
        assert (refund.payment, refund.amount) == (payment, payment.amount)
        assert (refund.status, refund.reason) == ("requested", "undeliverable")
        assert (refund.requested_by, refund.credits) == (None, 0)
        assert refund.note
        assert broken() == []

    def test_that_is_told_of_again_changes_nothing(self, held):
        payment = begin_to_pay(held)
        release(held)

        for _ in range(2):
            money_comes(payment)

        assert Refund.objects.count() == 1
        with pytest.raises(IntegrityError), transaction.atomic():
            give_back(payment=payment, why="Once more")

    def test_that_goes_back_is_told_to_who_paid_and_who_manages_billing(self, held, owner):
        buyer = make_person(email="buyer@acme.test")
        payment = begin_to_pay(held, user=buyer, description="5 kW of the roof")
        release(held)
        money_comes(payment)

        assert send("refunds") == 1
        (told,) = mail.outbox
        assert {*told.to} == {owner.email, buyer.email}
        assert told.subject == "€62.50 goes back to you: 5 kW of the roof"
        assert payment.public_id in told.body

    def test_that_goes_back_is_not_told_to_a_buyer_who_is_there_no_more(self, held, owner):
        payment = begin_to_pay(held, user=make_person(is_active=False))
        release(held)
        money_comes(payment)

        assert send("refunds") == 1
        assert mail.outbox[0].to == [owner.email]

    def test_that_stripe_refuses_to_send_back_is_not_promised(self, held):
        payment = begin_to_pay(held)
        release(held)
        money_comes(payment)
        Refund.objects.update(status="failed")

        assert send("refunds") == 0
        assert mail.outbox == []

    def test_comes_to_the_web_as_well(self, acme, held):
        """A page that asks how a payment stands settles it with the web's rights."""
        payment = begin_to_pay(held)
        with scope.entered(scope.Scope(organization_id=acme.pk)), role(WEB):
            release(held)
            money_comes(payment)
            assert Refund.objects.get().status == "requested"


class TestPaying:
    def test_needs_stripe(self, held, settings):
        settings.STRIPE_SECRET_KEY = ""
        with pytest.raises(BillingNotConfigured):
            pay(reservation=held, user=None)
        held.refresh_from_db()
        assert held.hold_expires_at < NOON.replace(minute=16)  # and prolongs nothing

    def test_is_refused_where_it_costs_nothing_by_now(self, held):
        change_the_fee(held, fee=0)
        with pytest.raises(NothingToPay):
            pay(reservation=held, user=None)

        assert not Payment.objects.exists()
        mark_as_paid(held)
        held.refresh_from_db()
        assert held.status == "allocated"

    def test_is_refused_once_it_was_paid_elsewhere_or_its_hold_is_over(self, held, acme):
        with past_its_hold(), pytest.raises(ReservationEnded) as refusal:
            pay(reservation=held, user=None)
        assert "expired" in str(refusal.value)
        mark_as_paid(held)
        with pytest.raises(ReservationEnded):
            pay(reservation=held, user=None)
        assert not Payment.objects.exists()

    def test_is_under_way_once_at_a_time(self, held):
        begin_to_pay(held)
        with pytest.raises(IntegrityError), transaction.atomic():
            begin_to_pay(held)

    def test_that_is_late_takes_free_blocks_anew(self, held):
        payment = begin_to_pay(held)
        with past_its_hold():
            expire_reservations()
            money_comes(payment)

        held.refresh_from_db()
        assert held.status == "allocated"
        assert counters(held.project) == ("5", "5", "0")
        assert not Refund.objects.exists()


def test_what_is_neither_allocated_nor_goes_back_is_found(held):
    payment = money_comes(begin_to_pay(held))
    give_back_too = Refund(
        organization=held.organization,
        payment=payment,
        amount=payment.amount,
        reason=Refund.Reason.UNDELIVERABLE,
    )
    give_back_too.save()
    assert "C09" in broken()
    Refund.objects.all().delete()
    assert broken() == []
    begin_to_pay(held, status="succeeded", settled_at=NOON)
    assert "C09" in broken()
