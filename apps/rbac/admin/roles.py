"""Staff pages of roles: the list, and the editor of all roles that count in one place."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.rbac.admin.base import ServiceAdmin, note_denial, staff_of
from apps.rbac.models import Role
from apps.rbac.services import matrix
from apps.rbac.services.custom_roles import create_role, delete_role


class NewRoleForm(forms.ModelForm[Role]):
    """A role that allows nothing yet."""

    class Meta:
        model = Role
        fields = ["name", "description", "organization"]


@admin.register(Role)
class RoleAdmin(ServiceAdmin[Role]):
    """Roles. Each leads to the editor of its organization's roles, or of those that are global."""

    form = NewRoleForm
    list_display = ["name", "organization", "is_system_role", "permission_count", "description"]
    list_filter = ["is_system_role", ("organization", admin.EmptyFieldListFilter)]
    search_fields = ["name", "organization__name", "organization__slug"]
    list_select_related = ["organization"]
    ordering = ["-is_system_role", "name"]
    autocomplete_fields = ["organization"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        """Count the permissions along with the rows."""
        rows: QuerySet[Role] = super().get_queryset(request)
        return rows.select_related("organization").annotate(permission_count=Count("permissions"))

    @admin.display(description="permissions", ordering="permission_count")
    def permission_count(self, role: Any) -> int:
        """Tell how many permissions the role has."""
        return int(role.permission_count)

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """Refuse for system roles."""
        if obj is not None and obj.is_system_role:
            return False
        return bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        """Make the role; what it allows is chosen in the editor."""
        made = create_role(
            by=staff_of(request),
            organization=obj.organization,
            name=obj.name,
            description=obj.description,
        )
        obj.pk, obj._state.adding = made.pk, False

    def response_add(
        self, request: HttpRequest, obj: Role, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead on to the editor."""
        messages.success(request, f"The role {obj.name} is made. Choose what it allows.")
        return redirect(reverse("admin:rbac_role_change", args=[obj.pk]))

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        """Delete a role that nobody has."""
        delete_role(by=staff_of(request), role=obj, version=obj.version)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """
        Show the editor of all roles that count where this one does.

        :raises PermissionDenied: if this person sees no roles.
        :raises Http404: if there is no such role.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        role = self.get_object(request, object_id)
        if role is None:
            raise Http404
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        desk = RoleDesk(request, role, frame)
        if request.method != "POST":
            return desk.show()
        if not self.has_change_permission(request, role):
            raise PermissionDenied
        return desk.change()


class RoleDesk:
    """One answer to a member of staff who looks at roles."""

    def __init__(self, request: HttpRequest, role: Role, frame: dict[str, Any]) -> None:
        self.request = request
        self.role = role
        self.by = staff_of(request)
        self.here = reverse("admin:rbac_role_change", args=[role.pk])
        self.frame = {**frame, "role": role, "here": self.here}

    def change(self) -> HttpResponse:
        """Show what would change, or save it; a refusal is told above the editor."""
        data = dict(self.request.POST.lists())
        answer = matrix.answer(data, self.role.organization, by=self.by)
        match answer:
            case matrix.Preview():
                page = {
                    **self.frame,
                    "title": "Save this change?",
                    "differences": answer.differences,
                    "fields": answer.fields,
                }
                return render(self.request, "admin/rbac/roles_preview.html", page)
            case matrix.Refused():
                note_denial(self.request, answer.refusal)
                return self.show(answer)
        tell = messages.success if answer.has_changed else messages.info
        tell(self.request, answer.message)
        return redirect(self.here)

    def show(self, refused: matrix.Refused | None = None) -> HttpResponse:
        """Show the editor; after a refusal with what was chosen, and why it was refused."""
        where = self.role.organization
        drafts = refused.drafts if refused else []
        page = {
            **self.frame,
            "title": f"Roles of {where.name}" if where else "Roles that count everywhere",
            "matrix": matrix.matrix_of(where, by=self.by, drafts=drafts),
            "refusals": [str(refused.refusal)] if refused else [],
            "list_url": reverse("admin:rbac_role_changelist"),
            "delete_url": ""
            if self.role.is_system_role
            else reverse("admin:rbac_role_delete", args=[self.role.pk]),
        }
        status = refused.status if refused else 200
        return render(self.request, "admin/rbac/roles.html", page, status=status)
