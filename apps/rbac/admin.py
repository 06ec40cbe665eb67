"""Staff pages of roles, permissions and API keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.rbac.errors import StaffRoleIsGlobal
from apps.rbac.models import ApiKey, Invitation, Permission, Role, RolePermission, UserRole
from apps.rbac.selectors import with_makers
from apps.rbac.services import invitations, keys
from apps.rbac.services.roles import is_for_staff
from apps.tenants.admin import AuditedAdmin


@admin.register(Permission)
class PermissionAdmin(ReadOnlyAdmin[Permission]):
    """Everything that can be done; written by the code alone."""

    list_display = ["name", "description", "resource", "action"]
    list_filter = ["resource"]
    search_fields = ["name", "description"]
    ordering = ["resource", "name"]


class RolePermissionInline(TabularInline):  # type: ignore[misc]  # Unfold is untyped
    """The permissions of a role."""

    model = RolePermission
    extra = 0
    autocomplete_fields = ["permission"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RolePermission]:
        """Fetch the permissions along with the rows."""
        rows: QuerySet[RolePermission] = super().get_queryset(request)
        return rows.select_related("permission", "role")


@admin.register(Role)
class RoleAdmin(AuditedAdmin[Role]):
    """Roles. System roles are written by the code and locked."""

    list_display = ["name", "organization", "is_system_role", "permission_count", "description"]
    list_filter = ["is_system_role"]
    search_fields = ["name", "organization__name", "organization__slug"]
    list_select_related = ["organization"]
    ordering = ["-is_system_role", "name"]
    autocomplete_fields = ["organization"]
    fields = ["name", "description", "organization"]
    inlines = [RolePermissionInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        """Count the permissions along with the rows."""
        rows: QuerySet[Role] = super().get_queryset(request)
        return rows.annotate(permission_count=Count("permissions"))

    @admin.display(description="permissions", ordering="permission_count")
    def permission_count(self, role: Any) -> int:
        """Tell how many permissions the role has."""
        return int(role.permission_count)

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """Refuse for system roles: permissions.py says what they may."""
        if obj is not None and obj.is_system_role:
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """Refuse for system roles."""
        if obj is not None and obj.is_system_role:
            return False
        return bool(super().has_delete_permission(request, obj))


class UserRoleForm(forms.ModelForm[UserRole]):
    """A role of a person; what is for staff belongs to no organization."""

    class Meta:
        model = UserRole
        fields = ["user", "role", "organization"]

    def clean(self) -> dict[str, Any] | None:
        """Refuse a role for staff inside an organization."""
        role, organization = (self.cleaned_data.get(name) for name in ("role", "organization"))
        if role and organization and is_for_staff(role):
            refusal = StaffRoleIsGlobal(role=role.name)
            self.add_error("organization", str(refusal))
        return self.cleaned_data


@admin.register(UserRole)
class UserRoleAdmin(AuditedAdmin[UserRole]):
    """Who has which role where; without an organization, everywhere."""

    form = UserRoleForm
    list_display = ["user", "role", "organization", "created_at"]
    list_filter = ["role__is_system_role", ("organization", admin.EmptyFieldListFilter)]
    search_fields = ["user__email", "organization__name", "organization__slug", "role__name"]
    list_select_related = ["user", "role", "organization"]
    autocomplete_fields = ["user", "role", "organization"]
    ordering = ["-created_at"]


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


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    """Who was invited where by whom; never a link, and never its digest."""

    list_display = [
        "created_at",
        "email",
        "organization",
        "role",
        "invited_by",
        "state",
        "expires_at",
        "sent_at",
        "resends",
        "mail_attempts",
    ]
    list_filter = ["status", ("sent_at", admin.EmptyFieldListFilter)]
    search_fields = ["email", "organization__name", "organization__slug", "invited_by__email"]
    search_help_text = "Address, organization or inviter"
    list_select_related = ["organization", "role", "invited_by"]
    ordering = ["-created_at", "-id"]
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.action(description="Revoke: their links open nothing any more", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Revoke the chosen ones through the service, which writes the audit rows."""
        for one in queryset:
            try:
                invitations.revoke(invitation=one)
            except DomainError as error:
                messages.error(request, f"{one.email}: {error}")
            else:
                messages.success(request, f"The invitation of {one.email} is revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Let those revoke invitations who may change them in Django's own permissions."""
        return request.user.has_perm("rbac.change_invitation")
