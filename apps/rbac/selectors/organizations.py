"""Read which organizations a person can open."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.clock import now_in_query
from apps.core.errors import NotFound
from apps.rbac.models import (
    UserRole,
)
from apps.rbac.selectors.roles import IS_OWNER
from apps.tenants.models import Organization, User
from apps.tenants.selectors import UNDO_DAYS


def organizations_of(user: User) -> QuerySet[Organization]:
    """Return the organizations in which the person has a role, by name."""
    roles = UserRole.objects.across_organizations("those of the person").filter(
        user=user, organization=OuterRef("pk")
    )
    mine = Organization.objects.filter(Exists(roles), is_active=True)
    if user.only_in is not None:
        mine = mine.filter(pk=user.only_in)
    return mine.order_by("name", "id")


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


def closed_organizations_of(user: User) -> QuerySet[Organization]:
    """Return the closed organizations that the person owns and may open again, newest first."""
    owning = UserRole.objects.across_organizations("those of the person").filter(
        user=user, organization=OuterRef("pk"), **IS_OWNER
    )
    since = now_in_query() - timedelta(days=UNDO_DAYS)
    closed = Organization.objects.filter(Exists(owning), closed_at__gt=since)
    if user.only_in is not None:
        closed = closed.filter(pk=user.only_in)
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
