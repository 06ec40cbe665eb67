"""Read what partners keep of a person, for himself: never a secret."""

from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Q

from apps.partners.models import Application, PartnerMember
from apps.tenants.models import User

Rows = Iterable[Mapping[str, Any]]


def addresses_of(user: User) -> set[str]:
    """Return the addresses that are his: that of his account, and those that he verified."""
    own = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return {user.email, *(one.lower() for one in own)}


def memberships_of(user: User) -> Rows:
    """Return the programmes that know him, by account or by an address of his."""
    by_address = Q(email__in=addresses_of(user))
    rows = PartnerMember.objects.filter(Q(user=user) | by_address).order_by("id")
    found: Rows = rows.values(
        *("id", "organization__slug", "partner__name", "email", "first_name", "last_name"),
        *("group__name", "status", "created_at", "claimed_at", "left_at"),
    )
    return found


def invited_by(user: User) -> Rows:
    """Return whom he invited to programmes, by id: the addresses are theirs."""
    rows = PartnerMember.objects.filter(invited_by=user).order_by("id")
    return rows.values("id", "organization__slug", "created_at")


def applications_by(user: User) -> Rows:
    """Return what he wrote to become a partner for organizations."""
    rows = Application.objects.filter(applied_by=user).order_by("created_at", "id")
    found: Rows = rows.values(
        *("id", "organization__slug", "name", "expected_members", "reason", "status"),
        *("created_at", "decided_at", "answer"),
    )
    return found
