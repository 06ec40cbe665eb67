"""What a person asked programmes for, for his own file of personal data."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.partners.models import CreditRequest
from apps.tenants.models import User


def credit_requests_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return what he asked for as a member, and what he was answered."""
    rows = CreditRequest.objects.filter(member__user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "partner__name", "credits", "reason", "status"),
        *("answer", "created_at", "decided_at"),
    )
    return found
