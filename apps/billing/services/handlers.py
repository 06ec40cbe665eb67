"""Every module that handles events of Stripe's, so that each is loaded before the first comes."""

from apps.billing.services import (
    card_events,
    checkout_events,
    dispute_events,
    history_events,
    payment_events,
    refund_events,
    subscription_events,
)

__all__ = [
    "card_events",
    "checkout_events",
    "dispute_events",
    "history_events",
    "payment_events",
    "refund_events",
    "subscription_events",
]
