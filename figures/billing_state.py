"""What Stripe's events have come to: money, credits, subscriptions, and each event's end."""

import hashlib
import json

from django.db import connection

from apps.billing.models import Payment, WebhookEvent
from apps.core.invariants import verify
from figures.stripe_served import Shop

# What came into being by an event is named by Stripe's id: ours is another one each time.
STATE = """
    SELECT 'event', event_id, status FROM billing_webhookevent
    UNION ALL
    SELECT 'payment', coalesce(stripe_payment_intent_id, stripe_invoice_id, id::text),
           concat_ws('|', purpose, status, amount, tax, currency, credits, refunded,
                     to_claw_back, clawed_back, disputed_at IS NOT NULL, failure_code)
      FROM billing_payment
    UNION ALL
    SELECT 'refund', stripe_refund_id, concat_ws('|', status, amount, credits)
      FROM billing_refund
    UNION ALL
    SELECT 'dispute', stripe_dispute_id, concat_ws('|', status, amount, credits)
      FROM billing_dispute
    UNION ALL
    SELECT 'subscription', id::text, concat_ws('|', status, stripe_subscription_id, version_id,
           quantity, current_period_start, current_period_end, cancel_at_period_end)
      FROM billing_organizationsubscription
    UNION ALL
    SELECT 'document', stripe_id, concat_ws('|', kind, status, amount, tax, amount_due)
      FROM billing_billingdocument
    UNION ALL
    SELECT 'lot', wallet_id::text || origin, concat_ws('|', granted, remaining,
           frozen_at IS NOT NULL) FROM credits_lot
    UNION ALL
    SELECT 'wallet', id::text, balance::text FROM credits_wallet
"""
State = dict[tuple[str, str], str]


def state() -> State:
    """Return what it has come to."""
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        return {(kind, key): value for kind, key, value in cursor.fetchall()}


def digest(found: State) -> str:
    """Return a short hash of a state."""
    text = json.dumps(sorted((*key, value) for key, value in found.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(one: State, other: State) -> int:
    """Count what is not the same in both, and show the first few."""
    found = sorted(key for key in set(one) | set(other) if one.get(key) != other.get(key))
    for key in found[:5]:
        print(f"    {' '.join(key)}: {one.get(key)} is not {other.get(key)}")
    return len(found)


def unsettled() -> int:
    """Count events that are dead, or wait for ever."""
    return WebhookEvent.objects.filter(status__in=["dead", "pending"]).count()


def broken() -> int:
    """Count what the invariants find."""
    return sum(finding.failures for finding in verify())


def wrong_money(shop: Shop) -> int:
    """Count payments whose money is another one here than at Stripe, and print the sums."""
    here, there = money_here(), money_at_stripe(shop)
    print(f"    money here={_sum(here)} at Stripe={_sum(there)} payments={len(there)}")
    return sum(here.get(intent) != there.get(intent) for intent in set(here) | set(there))


def money_here() -> dict[str | None, tuple[int, int]]:
    """Return what was paid and given back for each payment intent, by our own rows."""
    rows = Payment.objects.filter(status="succeeded")
    told = rows.values_list("stripe_payment_intent_id", "amount", "tax", "refunded")
    return {intent: (amount + tax, refunded) for intent, amount, tax, refunded in told}


def money_at_stripe(shop: Shop) -> dict[str | None, tuple[int, int]]:
    """Return the same by Stripe's charges."""
    charges = shop.v1.charges.list({"limit": 100}).auto_paging_iter()
    return {
        str(one.payment_intent): (one.amount_captured, one.amount_refunded)
        for one in charges
        if one.paid
    }


def _sum(money: dict[str | None, tuple[int, int]]) -> int:
    return sum(paid - refunded for paid, refunded in money.values())
