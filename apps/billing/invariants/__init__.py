"""What must always be true of billing (docs/guides/billing.md)."""

from apps.billing.invariants import (
    catalogue,
    history,
    payments,
    plan_times,
    reloads,
    reversals,
    sandboxes,
    subscriptions,
)

__all__ = [
    "catalogue",
    "history",
    "payments",
    "plan_times",
    "reloads",
    "reversals",
    "sandboxes",
    "subscriptions",
]
