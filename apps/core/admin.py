"""Staff pages of the core: rows that staff may look at and never change."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class ReadOnlyAdmin[M: Model](ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """Shows rows; nobody adds, changes or deletes them here, superusers included."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Refuse: such rows are written by services alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Refuse: such rows are written by services alone."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Refuse: such rows are kept for ever."""
        return False


admin.site.site_header = "Coffer"
admin.site.site_title = "Coffer"
