"""Read when staff looked in whose place."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.core.clock import now_in_query
from apps.rbac.models import Impersonation, UserRole
from apps.tenants.models import Organization, User

IMPERSONATE = "people.impersonate"


def impersonations_in(organization: Organization) -> QuerySet[Impersonation]:
    """Return when staff looked at the organization in whose place, the latest first."""
    rows = Impersonation.objects.filter(organization=organization)
    return rows.select_related("staff_user", "user").order_by("-started_at", "-id")


def late_impersonations() -> QuerySet[Impersonation]:
    """Return those that nobody has ended and whose time is up, the oldest first."""
    late = Impersonation.objects.filter(ended_at=None, expires_at__lte=now_in_query())
    return late.order_by("expires_at", "id")


def find_impersonation(staff_user: User, impersonation_id: str) -> Impersonation | None:
    """Return this person's own impersonation with the id that his session keeps, and `now`."""
    rows = Impersonation.objects.filter(pk=UUID(impersonation_id), staff_user=staff_user)
    rows = rows.annotate(now=now_in_query())
    return rows.select_related("user", "organization").first()


def why_over(impersonation: Impersonation, staff_user: User) -> str:
    """Return why one that was found above must not go on, or nothing where it may."""
    Cause = Impersonation.Cause
    if impersonation.ended_at is not None:
        return impersonation.end_cause
    now: datetime = impersonation.now  # type: ignore[attr-defined]  # annotated
    if impersonation.expires_at <= now:
        return Cause.TIME
    is_open = impersonation.organization.is_active and is_member(
        impersonation.user, impersonation.organization
    )
    may_look = staff_user.is_staff and staff_user.has_perm(IMPERSONATE)
    if not may_look or not is_open or not can_be_impersonated(impersonation.user):
        return Cause.ACCESS
    return ""


def can_be_impersonated(user: User) -> bool:
    """Tell whether the person could sign in, and has no power beyond his organizations."""
    if not user.is_active or user.is_staff or user.is_superuser:
        return False
    return not UserRole.objects.filter(user=user, organization=None).exists()


def is_member(user: User, organization: Organization) -> bool:
    """Tell whether the person has a role in the organization."""
    return UserRole.objects.filter(user=user, organization=organization).exists()
