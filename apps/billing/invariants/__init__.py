"""What must always be true of billing (docs/guides/billing.md)."""

from apps.billing.invariants import catalogue, payments, reversals, subscriptions

__all__ = ["catalogue", "payments", "reversals", "subscriptions"]
