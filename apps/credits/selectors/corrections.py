"""Read corrections, and how much one person may correct alone."""

from django.db.models import QuerySet

from apps.credits.models import Correction
from apps.tenants.selectors.config import Setting, declare, value_of

CORRECTION_LIMIT = "credits.correction_limit"  # the AdminConfig key
DEFAULT_CORRECTION_LIMIT = 10_000  # credits
LIMIT = declare(
    Setting(
        CORRECTION_LIMIT,
        default=DEFAULT_CORRECTION_LIMIT,
        description="Credits that one member of staff may correct alone.",
        minimum=0,
        maximum=1_000_000_000,
    )
)


def correction_limit() -> int:
    """Return the most credits that one member of staff may correct alone."""
    return value_of(LIMIT)


def corrections() -> QuerySet[Correction]:
    """Return the corrections of all organizations, newest first."""
    related = ("organization", "wallet__organization", "requested_by", "decided_by")
    return Correction.objects.select_related(*related).order_by("-created_at", "-id")
