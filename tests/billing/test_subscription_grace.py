"""When the grace of what is not paid ends: it ends at Stripe too, once, whatever gets lost."""

from datetime import timedelta

import pytest

from apps.billing.errors import StripeRefused, StripeUnavailable
from apps.billing.gateway import subscriptions as gateway
from apps.billing.models import Payment, SubscriptionChange
from apps.billing.services.subscriptions import ending, resuming
from apps.tenants.models import AdminConfig, AuditLog
from tests.billing.subscribing import again
from tests.billing.test_subscription_life import (
    FEBRUARY,
    HOUR,
    MICROSECOND,
    decline_from_now_on,
    life,
    movable,
    plan,
    use_card,
)

__all__ = ["life", "movable", "plan"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)
GRACE = timedelta(days=3)  # shorter than Stripe goes on trying
LATER = FEBRUARY + timedelta(days=60)  # when Stripe would have tried for the last time


@pytest.fixture
def row(life, plan):
    """Return a subscription whose renewal was declined."""
    AdminConfig.objects.create(key="billing.grace_days", value=GRACE.days)
    row = life.subscribe(plan)
    decline_from_now_on(life)
    life.move(FEBRUARY + HOUR)
    assert again(row).status == "past_due"
    return again(row)


def sweep(life):
    with life.here():
        return ending.sweep()


def tries(life):
    """Return how often a charge was tried."""
    return len(life.stripe.v1.charges.list({"limit": 100}).data)


def asked():
    return list(SubscriptionChange.objects.values_list("kind", "status"))


def test_ends_at_stripe_and_nothing_is_collected_any_more(life, row, stripe):
    life.now = row.past_due_since + GRACE - MICROSECOND
    assert sweep(life) == 0
    assert asked() == []

    life.now = row.past_due_since + GRACE
    assert sweep(life) == 1
    assert sweep(life) == 0

    ended = again(row)
    assert (ended.status, ended.ended_at is None) == ("cancelled", False)
    assert stripe.v1.subscriptions.retrieve(row.stripe_subscription_id).status == "canceled"
    assert AuditLog.objects.filter(action="subscription.end").count() == 1
    failed = Payment.objects.exclude(status="succeeded").get()
    assert (failed.status, failed.pay_url) == ("cancelled", "")
    before = tries(life)
    life.move(LATER)
    use_card_of_customer(life)
    life.move(LATER + timedelta(days=40))
    assert tries(life) == before
    assert Payment.objects.filter(status="succeeded").count() == 1
    assert asked() == [("end", "accepted")]


def use_card_of_customer(life):
    """Let the customer have a card again that works: nothing shall be taken from it."""
    stripe = life.stripe.v1
    method = stripe.payment_methods.attach("pm_card_visa", {"customer": life.customer.id})
    stripe.customers.update(
        life.customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )


@pytest.mark.parametrize("is_done", [True, False])
def test_whose_answer_got_lost_is_asked_again_with_the_same_key(life, row, monkeypatch, is_done):
    real, keys = gateway.end_now, []

    def lost(**question):
        keys.append(question["key"])
        if is_done:
            real(**question)
        raise StripeUnavailable

    def told(**question):
        keys.append(question["key"])
        return real(**question)

    monkeypatch.setattr(gateway, "end_now", lost)
    life.now = row.past_due_since + GRACE
    assert sweep(life) == 1
    assert asked() == [("end", "asked")]
    assert sweep(life) == 0  # it is asked for already
    monkeypatch.setattr(gateway, "end_now", told)
    life.now += timedelta(hours=1)
    SubscriptionChange.objects.update(created_at=life.now - timedelta(minutes=2))
    with life.here():
        assert resuming.sweep() == 1

    assert asked() == [("end", "accepted")]
    assert keys == [SubscriptionChange.objects.get().public_id] * (1 if is_done else 2)
    assert again(row).status == "cancelled"


def test_that_was_paid_in_the_last_moment_goes_on(life, row, stripe):
    """Stripe has the money, and has not told us yet."""
    invoice = stripe.v1.invoices.list(
        {"subscription": row.stripe_subscription_id, "status": "open"}
    ).data[0]
    use_card(life, "pm_card_visa")
    stripe.v1.invoices.pay(invoice.id)

    life.now = row.past_due_since + GRACE
    sweep(life)

    assert again(row).status == "active"
    assert asked() == [("end", "accepted")]
    with life.here():
        ending.end_if_late(row)  # another worker read it before
    assert asked() == [("end", "accepted")]
    assert stripe.v1.subscriptions.retrieve(row.stripe_subscription_id).status == "active"


def test_that_stripe_refuses_is_not_asked_every_minute(life, row, monkeypatch):
    def refuse(**question):
        raise StripeRefused(reason="not now")

    monkeypatch.setattr(gateway, "end_now", refuse)
    life.now = row.past_due_since + GRACE
    sweep(life)
    SubscriptionChange.objects.update(created_at=life.now)
    sweep(life)
    assert asked() == [("end", "refused")]
    monkeypatch.undo()
    SubscriptionChange.objects.update(created_at=life.now - timedelta(days=1, seconds=1))

    assert sweep(life) == 1
    assert again(row).status == "cancelled"
