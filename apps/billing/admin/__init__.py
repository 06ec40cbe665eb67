"""Staff pages of billing."""

from apps.billing.admin import catalogue, events, payments, versions

__all__ = ["catalogue", "events", "payments", "versions"]
