"""What must always be true of billing (docs/guides/billing.md)."""

from apps.billing import reversal_invariants

__all__ = ["reversal_invariants"]
