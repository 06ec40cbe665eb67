"""Read all that rbac keeps of a person, for himself: never a secret."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from apps.rbac.models import ApiKey, Impersonation, Invitation, PersonalExport, Share, UserRole
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
    """Return the invitations that went to his address, or that he sent."""
    his = Invitation.objects.filter(Q(email=user.email) | Q(invited_by=user))
    return his.values("id", "organization__slug", "email", "role__name", "status", "created_at")


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


def exports_of(user: User) -> QuerySet[PersonalExport]:
    """Return the person's own exports, the latest first."""
    return PersonalExport.objects.filter(user=user).order_by("-created_at", "-id")
