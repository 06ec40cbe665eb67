"""Staff pages of organizations."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.shortcuts import redirect
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.errors import DomainError
from apps.tenants.admin.base import AuditedAdmin
from apps.tenants.models import Organization, User
from apps.tenants.selectors import time_zones
from apps.tenants.services import organizations, standing

STANDINGS = {  # what staff may do to an organization in each status
    "active": ("deactivate", "Deactivate: no page and no key works"),
    "deactivated": ("activate", "Activate: let its members in again"),
    "closed": ("reopen", "Open it again that its owner has closed"),
}


class OrganizationAddForm(forms.ModelForm[Organization]):
    """A new organization, with the person who owns it."""

    owner = forms.ModelChoiceField(User.objects.none())

    class Meta:
        model = Organization
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = User.objects.filter(is_active=True).order_by("email")


class OrganizationChangeForm(forms.ModelForm[Organization]):
    """What staff change of an organization, and whether it works."""

    time_zone = forms.ChoiceField(choices=time_zones, widget=UnfoldAdminSelectWidget)
    standing = forms.ChoiceField(
        label="Change the status", required=False, widget=UnfoldAdminSelectWidget
    )
    reason = forms.CharField(
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextInputWidget,
        help_text="Needed to change the status; kept in the audit log.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(standing := self.fields.get("standing"), forms.ChoiceField):
            verb, label = STANDINGS[self.instance.status]
            standing.choices = [("", "Leave it as it is"), (verb, label)]

    def clean(self) -> dict[str, Any] | None:
        """Ask for the reason where the status changes."""
        if self.cleaned_data.get("standing") and not self.cleaned_data.get("reason"):
            self.add_error("reason", "Say why.")
        return self.cleaned_data


@admin.register(Organization)
class OrganizationAdmin(AuditedAdmin[Organization]):
    """Customers. Everything goes through the services, which lock and write the audit log."""

    list_display = ["name", "slug", "public_id", "status", "max_users", "created_at"]
    list_filter = [
        "is_active",
        ("closed_at", admin.EmptyFieldListFilter),
        "is_personal",
        "requires_second_factor",
    ]
    search_fields = ["name", "slug", "billing_email"]
    search_help_text = "Name, address or billing e-mail"
    ordering = ["-created_at"]
    readonly_fields = [
        *("public_id", "slug", "is_personal", "status", "requires_second_factor"),
        *("closed_at", "created_at", "updated_at"),
    ]
    fields = [
        *("public_id", "name", "slug", "description", "website", "billing_email", "time_zone"),
        *("max_users", "is_personal", "requires_second_factor", "status", "standing", "reason"),
        *("closed_at", "created_at", "updated_at"),
    ]
    form = OrganizationChangeForm

    def get_fields(self, request: HttpRequest, obj: Organization | None = None) -> list[str]:
        """Ask only for name and owner of a new one, and for the status those who may change it."""
        if obj is None:
            return ["name", "owner"]
        hidden = self.hidden_fields(request)
        return [one for one in self.fields if one not in hidden]

    def get_form(
        self, request: HttpRequest, obj: Organization | None = None, **kwargs: Any
    ) -> type[forms.ModelForm[Organization]]:
        """Ask for the owner of a new one, and take nothing that is not shown."""
        if obj is None:
            return OrganizationAddForm
        form: type[forms.ModelForm[Organization]] = super().get_form(request, obj, **kwargs)
        for name in self.hidden_fields(request):  # declared ones stay in a form unless taken out
            form.base_fields.pop(name, None)
        return form

    def hidden_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Return what those do not see who may not change the status."""
        may_manage = request.user.has_perm("organizations.manage")
        return () if may_manage else ("standing", "reason")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show a refusal above the page as it was: nothing of it is done."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            messages.error(request, str(refusal))
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        """Create, or change what was changed and nothing else, through the services."""
        given = form.cleaned_data
        if not change:
            made = organizations.create_organization(**given)
            obj.pk, obj.slug, obj._state.adding = made.pk, made.slug, False
            return
        profile = {name: given[name] for name in form.changed_data if name in organizations.PROFILE}
        organizations.update_organization(organization=obj, **profile)
        if "max_users" in form.changed_data:
            organizations.set_member_limit(organization=obj, max_users=given["max_users"])
        if given.get("standing"):
            standing.change(organization=obj, verb=given["standing"], reason=given["reason"])

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """Refuse: its money rows stay, so it is deactivated instead."""
        return False
