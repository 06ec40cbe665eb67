"""Staff pages of passes and of plans that were given."""

from django.contrib import admin

from apps.billing.models import PlanTime
from apps.core.admin import ReadOnlyAdmin


@admin.register(PlanTime)
class PlanTimeAdmin(ReadOnlyAdmin[PlanTime]):
    """Days of plans that end by themselves: who bought them, or who gave them and why."""

    list_display = [
        "public_id",
        "organization",
        "version",
        "days",
        "seconds_taken",
        "credits",
        "payment",
        "user",
        "reason",
        "created_at",
    ]
    list_filter = ["version__plan", ("payment", admin.EmptyFieldListFilter)]
    search_fields = ["organization__name", "organization__slug"]
    search_help_text = "An organization"
    list_select_related = ["organization", "version__plan", "payment", "user"]
    ordering = ["-created_at", "-id"]
