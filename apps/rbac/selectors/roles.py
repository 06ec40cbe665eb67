"""Read roles, and what they allow."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.core.errors import NotFound
from apps.rbac.errors import UnknownRole
from apps.rbac.models import (
    ApiKey,
    Role,
    RolePermission,
    UserRole,
)
from apps.rbac.permissions import BY_CODE, OWNER, STAFF_CODES, STAFF_ROLES
from apps.tenants.models import Organization, User

IS_OWNER = {"role__name": OWNER.name, "role__is_system_role": True}


def roles_of(user: User) -> QuerySet[UserRole]:
    """Return the person's roles in all organizations he can open."""
    assigned = UserRole.objects.across_organizations("those of the person").filter(
        user=user, organization__is_active=True
    )
    if user.only_in is not None:
        assigned = assigned.filter(organization=user.only_in)
    return assigned.select_related("role", "organization").order_by(
        "organization__name", "organization_id", "role__name"
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


def held_by(
    user: User, organization: Organization | None, key: ApiKey | None = None
) -> frozenset[str]:
    """
    Return what the person can give there: all that he may do, superusers everything.

    A program that comes with his key holds no more than the key's scopes.
    """
    is_super = user.is_active and user.is_superuser
    codes = frozenset(BY_CODE) if is_super else permissions_of(user, organization)
    if key is None:
        return codes
    return frozenset(code for code in codes if BY_CODE[code].scope in key.scopes)


def roles_in(organization: Organization | None) -> QuerySet[Role]:
    """
    Return the roles that can be given in the organization: system roles first, then its own.

    Without an organization: those that count everywhere, roles for staff among them.
    """
    roles = Role.objects.filter(organization=None)
    if organization is not None:
        staff = [one.name for one in STAFF_ROLES]
        system = Q(organization=None, is_system_role=True) & ~Q(name__in=staff)
        roles = Role.objects.filter(system | Q(organization=organization))
    return roles.select_related("organization").order_by("-is_system_role", "name", "id")


def roles_within(organization: Organization, held: Collection[str]) -> QuerySet[Role]:
    """Return the roles that allow nothing beyond what is held: those that its holder may give."""
    beyond = RolePermission.objects.exclude(permission__name__in=held)
    return roles_in(organization).exclude(pk__in=beyond.values("role"))


def role_in(organization: Organization | None, public_id: str) -> Role:
    """
    Return the role with this id, if it can be given there.

    :raises NotFound: if it is none of those.
    """
    role_id = Role.read_id(public_id)
    role = roles_in(organization).filter(pk=role_id).first() if role_id else None
    if role is None:
        raise NotFound
    return role


def find_role(organization: Organization, text: str) -> Role:
    """
    Return the role with this name or id that can be given in the organization.

    :raises UnknownRole: if there is none.
    """
    roles = roles_in(organization)
    role_id = Role.read_id(text)
    found = roles.filter(pk=role_id) if role_id else roles.filter(name=text)
    role = found.first()
    if role is None:
        raise UnknownRole(role=text)
    return role


def codes_of(roles: Collection[Role]) -> dict[UUID, frozenset[str]]:
    """Return what each of these roles allows, by its id; one query."""
    found: dict[UUID, set[str]] = {role.pk: set() for role in roles}
    rows = RolePermission.objects.filter(role__in=found)
    for role_id, code in rows.values_list("role_id", "permission__name"):
        found[role_id].add(code)
    return {role_id: frozenset(codes) for role_id, codes in found.items()}


def holders_of(role: Role, organization: Organization | None) -> QuerySet[User]:
    """Return who has the role there, by address."""
    rows = UserRole.objects.filter(user=OuterRef("pk"), role=role, organization=organization)
    return User.objects.filter(Exists(rows)).order_by("email")


def holder_counts(roles: Collection[Role], organization: Organization | None) -> dict[UUID, int]:
    """Return how many people have each of these roles there, by the role's id; one query."""
    rows = UserRole.objects.filter(role__in=[role.pk for role in roles], organization=organization)
    counts = dict(rows.values_list("role").annotate(Count("pk")))
    return {role.pk: counts.get(role.pk, 0) for role in roles}


def roles_of_member(user: User, organization: Organization | None) -> QuerySet[Role]:
    """Return the roles that the person has there, by name."""
    rows = UserRole.objects.filter(user=user, organization=organization)
    return Role.objects.filter(pk__in=rows.values("role")).order_by("name", "id")
