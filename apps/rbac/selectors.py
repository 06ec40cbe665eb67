"""Read who belongs where and may do what. Nothing here writes."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.errors import NotFound
from apps.rbac.models import ApiKey, RolePermission, UserRole
from apps.rbac.permissions import STAFF_CODES
from apps.tenants.models import Organization, User


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


def api_keys_of(organization: Organization) -> QuerySet[ApiKey]:
    """Return the organization's API keys, newest first, revoked ones too."""
    keys = ApiKey.objects.filter(organization=organization)
    return keys.select_related("created_by").order_by("-created_at", "-id")
