"""Staff pages of automatic reload: read only, because consent is the customer's."""

from django.contrib import admin

from apps.billing.models import AutoReload
from apps.core.admin import ReadOnlyAdmin


@admin.register(AutoReload)
class AutoReloadAdmin(ReadOnlyAdmin[AutoReload]):
    """What organizations agreed to, and how it stands."""

    list_display = [
        "organization",
        "is_enabled",
        "state",
        "reason",
        "threshold",
        "mode",
        "amount",
        "consecutive_failures",
        "last_attempt_at",
        "back_off_until",
    ]
    list_filter = ["is_enabled", "state", "reason", "mode"]
    list_select_related = ["organization"]
    search_fields = ["organization__name", "organization__slug"]
    ordering = ["-last_attempt_at", "-id"]
    exclude = ["failed_fingerprint"]
