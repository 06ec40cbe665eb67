"""Every module that handles events of Stripe's, so that each is loaded before the first comes."""

from apps.billing.services import payment_events

__all__ = ["payment_events"]
