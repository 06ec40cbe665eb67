"""Staff pages of billing."""

from apps.billing.admin import (
    catalogue,
    details,
    events,
    history,
    payments,
    plan_times,
    reconciliation,
    reconciliation_runs,
    refunds,
    reloads,
    sandboxes,
    subscriptions,
    versions,
)

__all__ = [
    "catalogue",
    "details",
    "events",
    "history",
    "payments",
    "plan_times",
    "reconciliation",
    "reconciliation_runs",
    "refunds",
    "reloads",
    "sandboxes",
    "subscriptions",
    "versions",
]
