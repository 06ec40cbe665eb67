"""Staff pages of billing."""

from apps.billing.admin import events

__all__ = ["events"]
