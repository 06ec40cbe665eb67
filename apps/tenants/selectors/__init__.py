"""Read organizations and what was done in them. Nothing here writes."""

import zoneinfo

from django.db.models import QuerySet

from apps.tenants.models import AuditLog, Organization


def audit_log_of(organization: Organization) -> QuerySet[AuditLog]:
    """Return what was done in the organization, newest first."""
    return AuditLog.objects.filter(organization=organization).order_by("-created_at", "-id")


def time_zones() -> list[tuple[str, str]]:
    """Return the time zones that a person can choose, UTC first."""
    places = sorted(name for name in zoneinfo.available_timezones() if "/" in name)
    return [(name, name.replace("_", " ")) for name in ["UTC", *places]]
