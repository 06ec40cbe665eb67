"""Staff pages of the events that others are told of."""

from django.contrib import admin
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateTimeFilter

from apps.core.admin import ReadOnlyAdmin
from apps.tenants.models import OutboxEvent


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin[OutboxEvent]):
    """What happened that receivers outside shall hear of; never changed."""

    list_display = ["public_id", "created_at", "organization", "event_type", "object_id"]
    list_filter = [
        ("event_type", FieldTextFilter),
        ("object_id", FieldTextFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    search_fields = ["event_type", "object_id", "organization__slug"]
    list_select_related = ["organization"]
    ordering = ["-created_at", "-id"]
