"""Read organizations and what was done in them. Nothing here writes."""

import zoneinfo
from datetime import datetime, timedelta

from django.db.models import QuerySet

from apps.tenants.models import AuditLog, Organization

UNDO_DAYS = 30  # for which an owner may open what he closed


def audit_log_of(organization: Organization) -> QuerySet[AuditLog]:
    """Return what was done in the organization, newest first."""
    return AuditLog.objects.filter(organization=organization).order_by("-created_at", "-id")


def time_zones() -> list[tuple[str, str]]:
    """Return the time zones that a person can choose, UTC first."""
    places = sorted(name for name in zoneinfo.available_timezones() if "/" in name)
    return [(name, name.replace("_", " ")) for name in ["UTC", *places]]


def all_organizations() -> QuerySet[Organization]:
    """Return every organization, for staff: newest first, whatever its status."""
    return Organization.objects.order_by("-created_at", "-id")


def reopenable_until(organization: Organization) -> datetime | None:
    """Return until when its owner may open a closed organization again, exclusive."""
    if organization.closed_at is None:
        return None
    return organization.closed_at + timedelta(days=UNDO_DAYS)
