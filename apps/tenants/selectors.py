"""Read organizations and what was done in them. Nothing here writes."""

from django.db.models import QuerySet

from apps.tenants.models import AuditLog, Organization


def audit_log_of(organization: Organization) -> QuerySet[AuditLog]:
    """Return what was done in the organization, newest first."""
    return AuditLog.objects.filter(organization=organization).order_by("-created_at", "-id")
