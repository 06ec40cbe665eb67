"""Read all that rbac keeps of a person, for himself: never a secret."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from apps.rbac.models import (
    ApiKey,
    Erasure,
    Impersonation,
    Invitation,
    LastSeen,
    OwnershipTransfer,
    PersonalExport,
    Share,
    UserRole,
)
from apps.tenants.models import User

Rows = Iterable[Mapping[str, Any]]


def memberships_of(user: User) -> Rows:
    """Return his roles."""
    return UserRole.objects.filter(user=user).values(
        "organization__slug", "organization__name", "role__name", "created_at"
    )


def keys_of(user: User) -> Rows:
    """Return the API keys that he made."""
    found: Rows = ApiKey.objects.filter(created_by=user).values(
        *("id", "organization__slug", "name", "hint", "scopes", "created_at"),
        *("expires_at", "revoked_at", "last_used_at", "last_used_ip", "last_used_agent"),
    )
    return found


def invitations_of(user: User) -> Rows:
    """Return the invitations that went to an address of his, or that he sent."""
    his = Q(email=user.email) | Q(accepted_by=user) | Q(invited_by=user)
    return Invitation.objects.filter(his).values(
        "id", "organization__slug", "email", "role__name", "status", "created_at"
    )


def looks_at(user: User) -> Rows:
    """Return when staff looked in his place."""
    return Impersonation.objects.filter(user=user).values(
        "id", "organization__slug", "reason", "ticket", "started_at", "ended_at"
    )


def shares_of(user: User) -> Rows:
    """Return what was shared with him, and what he shared."""
    found: Rows = Share.objects.filter(Q(user=user) | Q(shared_by=user)).values(
        *("id", "organization__slug", "content_type__model", "object_id", "created_at"),
        *("expires_at", "revoked_at"),
    )
    return found


def visits_of(user: User) -> Rows:
    """Return when he last opened a page of each organization."""
    return LastSeen.objects.filter(user=user).values("organization__slug", "at")


def transfers_of(user: User) -> Rows:
    """Return the offers to hand an organization over, by him and to him."""
    his = OwnershipTransfer.objects.filter(Q(from_user=user) | Q(to_user=user))
    found: Rows = his.annotate(is_by_you=Q(from_user=user)).values(
        *("id", "organization__slug", "is_by_you", "status", "created_at"),
        *("expires_at", "ended_at"),
    )
    return found


def erasures_of(user: User) -> Rows:
    """Return when he asked to be erased, and what became of it."""
    found: Rows = Erasure.objects.filter(user=user).values(
        "id", "status", "created_at", "due_at", "ended_at", "refused_at", "refusal"
    )
    return found


def files_of(user: User) -> Rows:
    """Return the files like this one that he asked for."""
    found: Rows = exports_of(user).values(
        *("id", "status", "created_at", "rows", "size", "ready_at", "expires_at", "downloads")
    )
    return found


def exports_of(user: User) -> QuerySet[PersonalExport]:
    """Return the person's own exports, the latest first."""
    return PersonalExport.objects.filter(user=user).order_by("-created_at", "-id")
