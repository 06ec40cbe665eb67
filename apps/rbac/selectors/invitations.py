"""Read invitations."""

from datetime import datetime

from django.db.models import Q, QuerySet

from apps.rbac.models import (
    Invitation,
)
from apps.tenants.models import Organization


def invitations_of(organization: Organization) -> QuerySet[Invitation]:
    """Return the organization's invitations, newest first, ended ones too."""
    rows = Invitation.objects.filter(organization=organization)
    return rows.select_related("role", "invited_by").order_by("-created_at", "-id")


def invitations_in(rows: QuerySet[Invitation], state: str, now: datetime) -> QuerySet[Invitation]:
    """Keep those in this state, as people see it: past its time is expired."""
    late = Q(status=Invitation.Status.PENDING, expires_at__lte=now)
    if state == Invitation.Status.PENDING:
        return rows.filter(status=state, expires_at__gt=now)
    if state == Invitation.Status.EXPIRED:
        return rows.filter(late | Q(status=state))
    return rows.filter(status=state)
