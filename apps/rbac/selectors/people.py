"""Read who belongs to an organization."""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest

from apps.core import paging
from apps.core.errors import NotFound
from apps.rbac.models import (
    ApiKey,
    LastSeen,
    RolePermission,
    UserRole,
)
from apps.tenants.models import Organization, User
from apps.tenants.selectors import SECOND_FACTORS


def members_of(organization: Organization) -> QuerySet[User]:
    """Return the people who have a role in the organization, by address."""
    roles = UserRole.objects.filter(user=OuterRef("pk"), organization=organization)
    return User.objects.filter(Exists(roles)).order_by("email")


def members_with(organization: Organization, code: str) -> QuerySet[User]:
    """Return the active people whose roles in the organization allow this, by address."""
    roles = UserRole.objects.filter(
        user=OuterRef("pk"),
        organization=organization,
        role__in=RolePermission.objects.filter(permission__name=code).values("role"),
    )
    return User.objects.filter(Exists(roles), is_active=True).order_by("email")


def members_without_second_factor(organization: Organization) -> QuerySet[User]:
    """Return the members who could not sign in if a second factor were required, by address."""
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
    return members_of(organization).filter(~Exists(factors), is_active=True)


MEMBER_COLUMNS = ["id", "email", "name", "roles", "status", "joined_at", "last_active_at"]


CHUNK = 1000  # rows of an export that are in memory at once


def memberships_of(
    organization: Organization, *, search: str = "", role: str = "", is_active: bool | None = None
) -> QuerySet[Any]:
    """
    Return the members, newest first, each with when he joined and was active, roles and factor.

    `search` looks in names and addresses; `role` is a role's name. Last active is when he
    opened a page of this organization, or one of his keys was used in it; elsewhere counts not.
    """
    own = UserRole.objects.filter(user=OuterRef("pk"), organization=organization)
    seen = LastSeen.objects.filter(user=OuterRef("pk"), organization=organization)
    used = (
        ApiKey.objects.filter(created_by=OuterRef("pk"), organization=organization)
        .values("created_by")
        .annotate(at=Max("last_used_at"))
    )
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
    members = members_of(organization).annotate(
        joined_at=Subquery(own.order_by("created_at").values("created_at")[:1]),
        role_names=ArraySubquery(own.order_by("role__name").values("role__name")),
        last_active_at=Greatest(Subquery(seen.values("at")[:1]), Subquery(used.values("at")[:1])),
        has_second_factor=Exists(factors),
    )
    if search:
        members = members.filter(Q(email__icontains=search) | Q(full_name__icontains=search))
    if role:
        members = members.filter(Exists(own.filter(role__name=role)))
    if is_active is not None:
        members = members.filter(is_active=is_active)
    return members.order_by("-joined_at", "-id")


def membership_of(organization: Organization, public_id: str) -> Any:
    """
    Return the member with this id, as `memberships_of` tells of him.

    :raises NotFound: if nobody with this id belongs to the organization.
    """
    user_id = User.read_id(public_id)
    found = memberships_of(organization).filter(pk=user_id).first() if user_id else None
    if found is None:
        raise NotFound
    return found


def member_rows(members: QuerySet[Any]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each member, in the order of MEMBER_COLUMNS, chunk by chunk."""
    chunk = list(members[:CHUNK])
    while chunk:
        for one in chunk:
            yield (
                one.public_id,
                one.email,
                one.full_name,
                ", ".join(one.role_names),
                "active" if one.is_active else "inactive",
                one.joined_at.isoformat(),
                one.last_active_at.isoformat() if one.last_active_at else "",
            )
        chunk = list(paging.after(members, chunk[-1], by="joined_at")[:CHUNK])
