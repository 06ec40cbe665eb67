"""Purchases after a crash at each step, and the sweep that takes them up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway import checkout as gateway
from apps.billing.gateway import customers
from apps.billing.models import Customer, Payment
from apps.billing.services import checkout
from tests.billing.buying import again, balance, begin, buy, grants, press

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken"),
]
STEPS = ["customer asked", "customer made", "question written", "session made", "answer written"]


class Killed(BaseException):
    """The process ends here, whatever it was about to do."""


def age(payment, **time):
    """Let a payment have been begun earlier, by our clock."""
    Payment.objects.filter(pk=payment.pk).update(created_at=timezone.now() - timedelta(**time))


def kill_at(step, monkeypatch):
    """Let the process die at a step: before or after Stripe did what it was asked."""

    def dying(module, name, *, is_done):
        real = getattr(module, name)

        def die(*args, **kwargs):
            if is_done:
                real(*args, **kwargs)
            raise Killed

        monkeypatch.setattr(module, name, die)

    match step:
        case "customer asked":
            dying(customers, "create_customer", is_done=False)
        case "customer made":
            dying(customers, "create_customer", is_done=True)
        case "question written":
            dying(gateway, "create_session", is_done=False)
        case "session made":
            dying(gateway, "create_session", is_done=True)
        case "answer written":
            dying(checkout, "_follow", is_done=True)


class TestACrash:
    @pytest.mark.parametrize("step", STEPS)
    def test_is_taken_up_by_the_sweep_without_a_second_session(
        self, stripe, organization, pack, monkeypatch, step
    ):
        payment = begin(organization, pack)
        kill_at(step, monkeypatch)
        with pytest.raises(Killed):
            checkout.open_checkout(payment)
        monkeypatch.undo()
        age(payment, minutes=2)
        checkout.sweep()

        payment = again(payment)
        assert payment.status == "open"
        assert len(stripe.v1.checkout.sessions.list().data) == 1
        assert len(stripe.v1.customers.list().data) == 1
        before = balance(organization)
        press(payment)
        stripe.tell()
        assert balance(organization) == before + 1050
        assert grants(organization).count() == 1

    @pytest.mark.parametrize("step", STEPS)
    def test_is_taken_up_by_whoever_looks(self, stripe, organization, pack, monkeypatch, step):
        payment = begin(organization, pack)
        kill_at(step, monkeypatch)
        with pytest.raises(Killed):
            checkout.open_checkout(payment)
        monkeypatch.undo()

        assert checkout.look(again(payment)).status == "open"
        assert len(stripe.v1.checkout.sessions.list().data) == 1

    def test_after_the_money_came_is_mended_by_the_news(
        self, stripe, organization, pack, monkeypatch
    ):
        payment = buy(organization, pack)
        press(payment)
        kill_at("answer written", monkeypatch)
        monkeypatch.setattr(checkout, "follow_session", lambda **_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            checkout.look(payment)
        monkeypatch.undo()
        assert grants(organization).count() == 0
        stripe.tell()

        assert again(payment).status == "succeeded"
        assert grants(organization).count() == 1


class TestTheSweep:
    def test_leaves_alone_what_was_just_begun(self, stripe, organization, pack):
        payment = begin(organization, pack)
        assert checkout.sweep() == 0
        assert again(payment).status == "created"

    def test_leaves_alone_what_can_still_be_paid(self, stripe, organization, pack):
        payment = buy(organization, pack)
        age(payment, hours=5)
        assert checkout.sweep() == 0
        assert again(payment).status == "open"

    def test_ends_what_nobody_paid_in_time(self, stripe, organization, pack):
        payment = buy(organization, pack)
        age(payment, hours=7)
        checkout.sweep()

        assert again(payment).status == "cancelled"
        session = stripe.v1.checkout.sessions.retrieve(payment.stripe_session_id)
        assert session.status == "expired"
        assert checkout.sweep() == 0

    def test_grants_what_was_paid_and_never_told(self, stripe, organization, pack):
        payment = buy(organization, pack)
        press(payment)
        age(payment, hours=7)
        checkout.sweep()

        assert again(payment).status == "succeeded"
        assert grants(organization).count() == 1

    def test_gives_up_what_stripe_was_never_asked(self, stripe, organization, pack):
        payment = begin(organization, pack)
        age(payment, hours=5, minutes=45)
        checkout.sweep()

        assert again(payment).status == "cancelled"
        assert stripe.v1.checkout.sessions.list().data == []

    def test_waits_for_the_end_of_a_session_that_may_be_there(
        self, stripe, organization, pack, monkeypatch
    ):
        payment = begin(organization, pack)
        kill_at("session made", monkeypatch)
        with pytest.raises(Killed):
            checkout.open_checkout(payment)
        monkeypatch.undo()
        age(payment, hours=5, minutes=45)
        checkout.sweep()
        assert again(payment).status == "unknown"

        age(payment, hours=6, minutes=5)
        checkout.sweep()
        assert again(payment).status == "cancelled"

    def test_stops_where_stripe_does_not_answer(self, stripe, organization, pack, monkeypatch):
        asked = []

        def away(**question):
            asked.append(question["key"])
            raise StripeUnavailable

        for _ in range(3):
            age(begin(organization, pack), minutes=2)
        monkeypatch.setattr(gateway, "create_session", away)

        assert checkout.sweep() == 1
        assert len(asked) == 1

    def test_goes_on_where_one_is_refused(self, stripe, organization, pack):
        first, second = begin(organization, pack), begin(organization, pack)
        for payment in (first, second):
            age(payment, minutes=2)
        Payment.objects.filter(pk=first.pk).update(question={"mode": "nonsense"})

        assert checkout.sweep() == 2
        assert (again(first).status, again(second).status) == ("failed", "open")

    def test_takes_up_no_payment_of_another_kind(self, stripe, organization):
        Customer.objects.all().delete()
        Payment.objects.create(
            organization=organization,
            purpose="reload",
            credits=10,
            amount=100,
            currency="eur",
            is_live=False,
            created_at=timezone.now() - timedelta(hours=1),
        )
        assert checkout.sweep() == 0
        Payment.objects.all().delete()  # nobody has agreed to it: no reload is like that
