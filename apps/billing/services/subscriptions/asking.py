"""What Stripe is asked for each kind of change, with the change's own id as the key."""

from contextlib import suppress
from typing import Any

from apps.billing.errors import StripeRefused
from apps.billing.gateway import objects
from apps.billing.gateway import subscriptions as gateway
from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionChange
from apps.core.db import outside_transaction

Json = dict[str, Any]
Kind = SubscriptionChange.Kind
Status = OrganizationSubscription.Status
UNPAID = ("past_due", "unpaid")


@outside_transaction
def ask_stripe(change: SubscriptionChange) -> Json:
    """
    Ask Stripe for what is written down; asked again, it is done once.

    :raises PaymentDeclined: if it cannot be paid; nothing was changed.
    :raises AuthenticationNeeded: if the bank wants to see the customer; nothing was changed.
    :raises StripeRefused: if Stripe refuses it; nothing was changed.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    row, key = change.subscription, change.public_id
    stripe_id = row.stripe_subscription_id
    assert stripe_id, "only what is at Stripe is asked for there"
    match change.kind:
        case Kind.NOW:
            told = objects.retrieve("subscription", stripe_id)
            return gateway.change_items(key=key, subscription=told, items=items_of(change))
        case Kind.LATER:
            told = objects.retrieve("subscription", stripe_id)
            items = items_of(change)
            return gateway.schedule_items(key=key, subscription=told, items=items)
        case Kind.CANCEL | Kind.UNDO:
            release_schedule(row, key=key)
            ends = change.kind == Kind.CANCEL
            return gateway.set_end(key=key, subscription_id=stripe_id, ends=ends)
        case Kind.PAUSE | Kind.RESUME:
            is_paused = change.kind == Kind.PAUSE
            return gateway.set_pause(key=key, subscription_id=stripe_id, is_paused=is_paused)
        case Kind.TRIAL:
            assert change.moment is not None
            end = int(change.moment.timestamp())
            return gateway.set_trial_end(key=key, subscription_id=stripe_id, trial_end=end)
        case Kind.END:
            return _end_unpaid(row, stripe_id, key)
    raise AssertionError(f"nobody asks for {change.kind}")


def items_of(change: SubscriptionChange) -> Json:
    """Return what a subscription shall be for, as the gateway wants it."""
    version, quantity = change.version, change.quantity
    assert isinstance(version, PlanVersion), "a change of plan names one"
    items: Json = {
        "price": version.stripe_price_id,
        "quantity": quantity,
        "interval": version.interval,
        "count": version.interval_count,
        "proration_behavior": "always_invoice",
    }
    if change.subscription.status == Status.TRIAL:
        items["proration_behavior"] = "none"  # nothing was paid of which a part could be left
    if change.moment is not None:
        items["proration_date"] = int(change.moment.timestamp())
    return items


@outside_transaction
def release_schedule(row: OrganizationSubscription, *, key: str) -> None:
    """
    Let a scheduled change go; one that is gone already is what was wanted.

    :raises StripeRefused: if Stripe refuses it.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    if not row.stripe_schedule_id:
        return
    try:
        gateway.release_schedule(key=key, schedule_id=row.stripe_schedule_id)
    except StripeRefused:
        schedule = objects.retrieve("subscription_schedule", row.stripe_schedule_id)
        if schedule["status"] in ("active", "not_started"):
            raise


def _end_unpaid(row: OrganizationSubscription, stripe_id: str, key: str) -> Json:
    """
    End what is not paid, with its open invoices: nobody shall pay for what he does not have.

    What was paid meanwhile goes on; its news are on their way.
    """
    told = objects.retrieve("subscription", stripe_id)
    if told["status"] in UNPAID:
        release_schedule(row, key=key)
        told = gateway.end_now(key=key, subscription_id=stripe_id)
    if told["status"] == "canceled":
        for invoice in gateway.open_invoices(stripe_id):
            with suppress(StripeRefused):  # paid, or being paid: its own news say so
                gateway.void_invoice(key=f"{key}:{invoice['id']}", invoice_id=invoice["id"])
    return told
