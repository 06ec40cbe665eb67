"""What billing tells of a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.billing.models import Payment, Refund
from apps.core import personal
from apps.tenants.models import User


def payments_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return what he bought for organizations; the payments themselves belong to them."""
    rows = Payment.objects.filter(user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "purpose", "status", "credits", "amount", "tax"),
        *("currency", "created_at", "settled_at"),
    )
    return found


def refunds_by(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the refunds that he asked for as a member of staff, with what he wrote."""
    rows = Refund.objects.filter(requested_by=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "amount", "payment__currency", "status", "reason"),
        *("note", "created_at"),
    )
    return found


personal.register("payments", payments_of)
personal.register("refunds", refunds_by)
