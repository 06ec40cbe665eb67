"""Read API keys."""

from django.db.models import Exists, OuterRef, QuerySet

from apps.rbac.models import (
    ApiKey,
    UserRole,
)
from apps.tenants.models import Organization


def api_keys_of(organization: Organization) -> QuerySet[ApiKey]:
    """Return the organization's API keys, newest first, revoked ones too."""
    keys = with_makers(ApiKey.objects.filter(organization=organization))
    return keys.select_related("created_by").order_by("-created_at", "-id")


def with_makers(keys: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
    """Tell of each key in `is_maker_here` whether its maker is still a member."""
    membership = UserRole.objects.filter(
        user=OuterRef("created_by"), organization=OuterRef("organization")
    )
    return keys.annotate(is_maker_here=Exists(membership))
