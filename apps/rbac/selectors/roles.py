"""Read roles, and what they allow."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from apps.rbac.errors import UnknownRole
from apps.rbac.models import (
    Role,
    RolePermission,
    UserRole,
)
from apps.rbac.permissions import OWNER, STAFF_CODES, STAFF_ROLES
from apps.tenants.models import Organization, User

IS_OWNER = {"role__name": OWNER.name, "role__is_system_role": True}


def roles_of(user: User) -> QuerySet[UserRole]:
    """Return the person's roles in all organizations he can open."""
    return (
        UserRole.objects.across_organizations("those of the person")
        .filter(user=user, organization__is_active=True)
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
    held = UserRole.objects.across_organizations("asked of one, or of none: global roles")
    assigned = held.filter(where, user=user)
    everywhere = held.filter(organization=None, user=user)
    codes = RolePermission.objects.filter(
        Q(role__in=everywhere.values("role")) | ~Q(permission__name__in=STAFF_CODES),
        role__in=assigned.values("role"),
    )
    return frozenset(codes.values_list("permission__name", flat=True))


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
