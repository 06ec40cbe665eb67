"""Staff pages of billing."""

from apps.billing.admin import (
    catalogue,
    events,
    payments,
    reconciliation,
    refunds,
    subscriptions,
    versions,
)

__all__ = [
    "catalogue",
    "events",
    "payments",
    "reconciliation",
    "refunds",
    "subscriptions",
    "versions",
]
