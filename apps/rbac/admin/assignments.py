"""Staff pages of who has which role; what is written goes through the services."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.rbac.admin.base import ServiceAdmin, staff_of
from apps.rbac.errors import StaffRoleIsGlobal
from apps.rbac.models import UserRole
from apps.rbac.services.assignments import give_role, take_role
from apps.rbac.services.roles import is_for_staff


class UserRoleForm(forms.ModelForm[UserRole]):
    """A role of a person; what is for staff belongs to no organization."""

    class Meta:
        model = UserRole
        fields = ["user", "role", "organization"]

    def clean(self) -> dict[str, Any] | None:
        """Refuse a role for staff inside an organization, and one outside its own."""
        role, organization = (self.cleaned_data.get(name) for name in ("role", "organization"))
        if role and organization and is_for_staff(role):
            refusal = StaffRoleIsGlobal(role=role.name)
            self.add_error("organization", str(refusal))
        if role and role.organization and role.organization != organization:
            self.add_error("role", f"This role belongs to {role.organization.name} alone.")
        return self.cleaned_data


@admin.register(UserRole)
class UserRoleAdmin(ServiceAdmin[UserRole]):
    """Who has which role where; without an organization, everywhere."""

    form = UserRoleForm
    list_display = ["user", "role", "organization", "created_at"]
    list_filter = ["role__is_system_role", ("organization", admin.EmptyFieldListFilter)]
    search_fields = ["user__email", "organization__name", "organization__slug", "role__name"]
    list_select_related = ["user", "role", "organization"]
    autocomplete_fields = ["user", "role", "organization"]
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserRole]:
        """Fetch person, role and organization along with the rows."""
        rows: QuerySet[UserRole] = super().get_queryset(request)
        return rows.select_related("user", "role", "organization")

    def has_change_permission(self, request: HttpRequest, obj: UserRole | None = None) -> bool:
        """Refuse: who gets another role is given that one, and loses this one."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: UserRole | None = None) -> bool:
        """Let those look who may add."""
        return bool(super().has_view_permission(request, obj) or self.has_add_permission(request))

    def save_model(self, request: HttpRequest, obj: UserRole, form: Any, change: bool) -> None:
        """Give the role; the service asks whether this person may give it."""
        made = give_role(
            by=staff_of(request), user=obj.user, organization=obj.organization, role=obj.role
        )
        obj.pk, obj._state.adding = made.pk, False

    def delete_model(self, request: HttpRequest, obj: UserRole) -> None:
        """Take the role; a member's last one ends his membership, and the last owner stays."""
        take_role(by=staff_of(request), user=obj.user, organization=obj.organization, role=obj.role)
