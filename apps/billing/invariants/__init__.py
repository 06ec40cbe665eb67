"""What must always be true of billing; loading this registers it for `manage.py verify`."""

from apps.billing.invariants import catalogue, payments

__all__ = ["catalogue", "payments"]
