"""Read who belongs where and may do what. Nothing here writes."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest

from apps.core.clock import now_in_query
from apps.core.errors import NotFound
from apps.rbac.errors import UnknownRole
from apps.rbac.models import (
    ApiKey,
    Invitation,
    LastSeen,
    OwnershipTransfer,
    Role,
    RolePermission,
    UserRole,
)
from apps.rbac.permissions import OWNER, STAFF_CODES, STAFF_ROLES
from apps.tenants.models import Organization, User
from apps.tenants.selectors import SECOND_FACTORS, UNDO_DAYS

IS_OWNER = {"role__name": OWNER.name, "role__is_system_role": True}


def organizations_of(user: User) -> QuerySet[Organization]:
    """Return the organizations in which the person has a role, by name."""
    roles = UserRole.objects.filter(user=user, organization=OuterRef("pk"))
    return Organization.objects.filter(Exists(roles), is_active=True).order_by("name", "id")


def organization_of_member(
    user: User, *, slug: str | None = None, organization_id: UUID | None = None
) -> Organization:
    """
    Return the organization with this slug or id.

    :raises NotFound: if there is none, or the person does not belong to it.
    """
    condition = Q(pk=organization_id) if slug is None else Q(slug=slug)
    organization = organizations_of(user).filter(condition).first()
    if organization is None:
        raise NotFound
    return organization


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


def roles_of(user: User) -> QuerySet[UserRole]:
    """Return the person's roles in all organizations he can open."""
    return (
        UserRole.objects.filter(user=user, organization__is_active=True)
        .select_related("role", "organization")
        .order_by("organization__name", "organization_id", "role__name")
    )


def permissions_of(user: User, organization: Organization | None) -> frozenset[str]:
    """
    Return what the person may do in the organization, or everywhere where None is given.

    Global roles count in each organization, and only they give what is for staff. People
    who are not active may do nothing.
    """
    if not user.is_active:
        return frozenset()
    where = Q(organization=None)
    if organization is not None:
        where |= Q(organization=organization)
    assigned = UserRole.objects.filter(where, user=user)
    everywhere = UserRole.objects.filter(organization=None, user=user)
    codes = RolePermission.objects.filter(
        Q(role__in=everywhere.values("role")) | ~Q(permission__name__in=STAFF_CODES),
        role__in=assigned.values("role"),
    )
    return frozenset(codes.values_list("permission__name", flat=True))


def organization_that_moved(user: User, slug: str) -> Organization | None:
    """Return the person's organization that once had this slug and has another one now."""
    found = organizations_of(user).filter(slugs__slug=slug).exclude(slug=slug)
    return found.first()


def organization_named(user: User, name: str) -> Organization:
    """
    Return the person's organization with this id (org_…), slug or former slug.

    :raises NotFound: if there is none, or the person does not belong to it.
    """
    organization_id = Organization.read_id(name)
    if organization_id is not None:
        return organization_of_member(user, organization_id=organization_id)
    return organization_that_moved(user, name) or organization_of_member(user, slug=name)


def owners_of(organization: Organization) -> QuerySet[User]:
    """Return the active people who own the organization, by address."""
    owning = UserRole.objects.filter(user=OuterRef("pk"), organization=organization, **IS_OWNER)
    return User.objects.filter(Exists(owning), is_active=True).order_by("email")


def closed_organizations_of(user: User) -> QuerySet[Organization]:
    """Return the closed organizations that the person owns and may open again, newest first."""
    owning = UserRole.objects.filter(user=user, organization=OuterRef("pk"), **IS_OWNER)
    since = now_in_query() - timedelta(days=UNDO_DAYS)
    closed = Organization.objects.filter(Exists(owning), closed_at__gt=since)
    return closed.order_by("-closed_at", "-id")


def closed_organization_of(user: User, organization_id: str) -> Organization:
    """
    Return one of them, by its id (org_…).

    :raises NotFound: if there is none.
    """
    row_id = Organization.read_id(organization_id)
    found = closed_organizations_of(user).filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return found


def transfers_of(organization: Organization) -> QuerySet[OwnershipTransfer]:
    """Return the offers to hand the organization over, newest first."""
    transfers = OwnershipTransfer.objects.filter(organization=organization)
    return transfers.select_related("from_user", "to_user").order_by("-created_at", "-id")


def offers_to(user: User) -> QuerySet[OwnershipTransfer]:
    """Return the organizations that are offered to the person now, soonest to end first."""
    pending = OwnershipTransfer.Status.PENDING
    offers = OwnershipTransfer.objects.filter(
        to_user=user,
        status=pending,
        expires_at__gt=now_in_query(),
        organization__in=organizations_of(user).order_by().values("pk"),
    )
    return offers.select_related("organization", "from_user").order_by("expires_at", "id")


def open_transfer_of(organization: Organization) -> OwnershipTransfer | None:
    """Return the offer that waits for an answer now."""
    pending = OwnershipTransfer.Status.PENDING
    open_now = transfers_of(organization).filter(status=pending, expires_at__gt=now_in_query())
    return open_now.first()


def api_keys_of(organization: Organization) -> QuerySet[ApiKey]:
    """Return the organization's API keys, newest first, revoked ones too."""
    keys = with_makers(ApiKey.objects.filter(organization=organization))
    return keys.select_related("created_by").order_by("-created_at", "-id")


MEMBER_COLUMNS = ["id", "email", "name", "roles", "status", "joined_at", "last_active_at"]
CHUNK = 1000  # rows of an export that are in memory at once


def memberships_of(
    organization: Organization, *, search: str = "", role: str = "", is_active: bool | None = None
) -> QuerySet[Any]:
    """
    Return the members, newest first, each with `joined_at`, `role_names`, `last_active_at`.

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
    members = members_of(organization).annotate(
        joined_at=Subquery(own.order_by("created_at").values("created_at")[:1]),
        role_names=ArraySubquery(own.order_by("role__name").values("role__name")),
        last_active_at=Greatest(Subquery(seen.values("at")[:1]), Subquery(used.values("at")[:1])),
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


def members_after(members: QuerySet[Any], last: Any) -> QuerySet[Any]:
    """Return the members that come after this one, newest first."""
    same_time = Q(joined_at=last.joined_at, id__lt=last.id)
    return members.filter(Q(joined_at__lt=last.joined_at) | same_time)


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
        chunk = list(members_after(members, chunk[-1])[:CHUNK])


def roles_to_give(organization: Organization) -> QuerySet[Role]:
    """Return the roles that exist in the organization: system roles first, then its own."""
    system = Q(organization=None, is_system_role=True)
    roles = Role.objects.filter(system | Q(organization=organization))
    staff = Q(is_system_role=True, name__in=[one.name for one in STAFF_ROLES])
    return roles.exclude(staff).order_by("-is_system_role", "name")


def roles_within(organization: Organization, held: Collection[str]) -> QuerySet[Role]:
    """Return the roles that allow nothing beyond what is held: those that its holder may give."""
    beyond = RolePermission.objects.exclude(permission__name__in=held)
    return roles_to_give(organization).exclude(pk__in=beyond.values("role"))


def find_role(organization: Organization, text: str) -> Role:
    """
    Return the role with this name or id that can be given in the organization.

    :raises UnknownRole: if there is none.
    """
    roles = roles_to_give(organization)
    role_id = Role.read_id(text)
    found = roles.filter(pk=role_id) if role_id else roles.filter(name=text)
    role = found.first()
    if role is None:
        raise UnknownRole(role=text)
    return role


def invitations_of(organization: Organization) -> QuerySet[Invitation]:
    """Return the organization's invitations, newest first, ended ones too."""
    rows = Invitation.objects.filter(organization=organization)
    return rows.select_related("role", "invited_by").order_by("-created_at", "-id")


def invitations_after(rows: QuerySet[Invitation], last: Invitation) -> QuerySet[Invitation]:
    """Return the invitations that come after this one, newest first."""
    same_time = Q(created_at=last.created_at, id__lt=last.id)
    return rows.filter(Q(created_at__lt=last.created_at) | same_time)


def invitations_in(rows: QuerySet[Invitation], state: str, now: datetime) -> QuerySet[Invitation]:
    """Keep those in this state, as people see it: past its time is expired."""
    late = Q(status=Invitation.Status.PENDING, expires_at__lte=now)
    if state == Invitation.Status.PENDING:
        return rows.filter(status=state, expires_at__gt=now)
    if state == Invitation.Status.EXPIRED:
        return rows.filter(late | Q(status=state))
    return rows.filter(status=state)


def with_makers(keys: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
    """Tell of each key in `is_maker_here` whether its maker is still a member."""
    membership = UserRole.objects.filter(
        user=OuterRef("created_by"), organization=OuterRef("organization")
    )
    return keys.annotate(is_maker_here=Exists(membership))
