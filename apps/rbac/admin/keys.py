"""Staff pages of permissions and API keys."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin import ReadOnlyAdmin
from apps.rbac.models import ApiKey, Permission
from apps.rbac.selectors import with_makers
from apps.rbac.services import keys


@admin.register(Permission)
class PermissionAdmin(ReadOnlyAdmin[Permission]):
    """Everything that can be done; written by the code alone."""

    list_display = ["name", "description", "resource", "action"]
    list_filter = ["resource"]
    search_fields = ["name", "description"]
    ordering = ["resource", "name"]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey]):
    """API keys: how they begin and end, never the rest and never its digest."""

    list_display = [
        "hint",
        "name",
        "organization",
        "created_by",
        "is_live",
        "status",
        "last_use",
        "expires_at",
        "rotated_at",
        "revoked_at",
    ]
    list_filter = ["is_live", ("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "hint", "organization__name", "organization__slug"]
    list_select_related = ["organization", "created_by"]
    ordering = ["-created_at"]
    exclude = ["digest", "previous_digest"]
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """Ask along with the rows whether each key's maker is still a member."""
        rows: QuerySet[ApiKey] = super().get_queryset(request)
        return with_makers(rows)

    @admin.action(description="Revoke: they stop working at once", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Revoke the chosen keys through the service, which writes the audit rows."""
        for key in queryset:
            keys.revoke_key(key=key)
        messages.success(request, "The keys are revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Let those revoke keys who may change them in Django's own permissions."""
        return request.user.has_perm("rbac.change_apikey")
