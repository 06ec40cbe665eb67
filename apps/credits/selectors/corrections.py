"""Read corrections, and how much one person may correct alone."""

from django.db.models import QuerySet

from apps.credits.models import Correction
from apps.tenants.models import AdminConfig

CORRECTION_LIMIT = "credits.correction_limit"  # the AdminConfig key
DEFAULT_CORRECTION_LIMIT = 10_000  # credits


def correction_limit() -> int:
    """Return the most credits that one member of staff may correct alone."""
    value = AdminConfig.objects.filter(key=CORRECTION_LIMIT).values_list("value", flat=True).first()
    if not isinstance(value, int) or isinstance(value, bool):
        return DEFAULT_CORRECTION_LIMIT
    return max(0, value)


def corrections() -> QuerySet[Correction]:
    """Return the corrections of all organizations, newest first."""
    related = ("organization", "wallet__organization", "requested_by", "decided_by")
    return Correction.objects.select_related(*related).order_by("-created_at", "-id")
