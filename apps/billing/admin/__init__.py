"""Staff pages of billing."""

from apps.billing.admin import catalogue, events, payments, refunds, versions

__all__ = ["catalogue", "events", "payments", "refunds", "versions"]
