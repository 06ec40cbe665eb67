"""Staff pages of the audit log and of values that staff set."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateTimeFilter

from apps.core.admin import ReadOnlyAdmin
from apps.tenants.admin.base import AuditedAdmin
from apps.tenants.models import AdminConfig, AuditLog


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin[AuditLog]):
    """What was done, by whom; never changed."""

    list_display = [
        "created_at",
        "organization",
        "actor",
        "acting_as",
        "action",
        "object_id",
        "result",
        "request_id",
        "place",
    ]
    list_filter = [
        "result",
        ("actor", FieldTextFilter),
        ("action", FieldTextFilter),
        ("object_id", FieldTextFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    search_fields = ["actor", "action", "object_id", "request_id", "organization__slug", "reason"]
    search_help_text = "Actor, action, object, request, reason or organization"
    list_select_related = ["organization", "seal"]
    ordering = ["-created_at", "-id"]
    readonly_fields = ["place", "entry_hash"]

    @admin.display(description="place")
    def place(self, row: AuditLog) -> int | None:
        """Tell the row's place in its chain."""
        return row.seal.sequence if hasattr(row, "seal") else None

    @admin.display(description="hash")
    def entry_hash(self, row: AuditLog) -> str:
        """Tell the hash that seals the row and all before it."""
        return bytes(row.seal.entry_hash).hex() if hasattr(row, "seal") else ""


@admin.register(AdminConfig)
class AdminConfigAdmin(AuditedAdmin[AdminConfig]):
    """Values that staff set while the instance runs."""

    list_display = ["key", "value", "requires_admin", "updated_at"]
    search_fields = ["key"]
    ordering = ["key"]

    def has_change_permission(self, request: HttpRequest, obj: AdminConfig | None = None) -> bool:
        """Let only superusers change what needs them."""
        needs_super = obj is not None and obj.requires_admin
        if needs_super and not getattr(request.user, "is_superuser", False):
            return False
        return bool(super().has_change_permission(request, obj))

    has_delete_permission = has_change_permission
