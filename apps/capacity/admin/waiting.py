"""Staff pages of waiting lists: who waits, who was offered what, and what became of it."""

from django.contrib import admin

from apps.capacity.models import WaitlistEntry
from apps.core.admin import ReadOnlyAdmin


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(ReadOnlyAdmin[WaitlistEntry]):
    """
    Waiting lists in the order in which they are served: who paid too late, then who came first.

    How many wait for a project, the list of projects shows.
    """

    list_display = [
        *("public_id", "project", "organization", "status", "requested_kw", "comes_first"),
        *("created_at", "passed_over_at", "offered_at", "reservation", "ended_at", "user"),
    ]
    list_filter = ["status", "project"]
    search_fields = ["organization__name", "organization__slug"]
    search_help_text = "An organization"
    list_select_related = ["organization", "project", "reservation", "user"]
    ordering = ["project__name", "-comes_first", "created_at", "id"]
