"""Staff pages of billing."""

from apps.billing.admin import events, payments

__all__ = ["events", "payments"]
