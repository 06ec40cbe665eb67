"""Staff pages of people, organizations and the audit log."""

from functools import partial
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction
from django.db.models import Model
from django.forms.models import model_to_dict
from django.http import HttpRequest
from django.shortcuts import redirect
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateTimeFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.tenants.models import AdminConfig, AuditLog, Organization, User
from apps.tenants.selectors import time_zones
from apps.tenants.services import audit, organizations, standing
from apps.tenants.services.sessions import end_session

STANDINGS = {  # what staff may do to an organization in each status
    "active": ("deactivate", "Deactivate: no page and no key works"),
    "deactivated": ("activate", "Activate: let its members in again"),
    "closed": ("reopen", "Open it again that its owner has closed"),
}


class AuditedAdmin[M: Model](ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """Writes an audit row in the transaction of each change that staff make."""

    show_full_result_count = False
    list_per_page = 50

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        """Save, and keep what was before and after in the fields that changed."""
        before = {name: str(form.initial.get(name, "")) for name in form.changed_data}
        super().save_model(request, obj, form, change)
        after = {name: str(value) for name, value in model_to_dict(obj, form.changed_data).items()}
        self.record(obj, "update" if change else "create", before=before, after=after)

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        """Delete, and keep what it was."""
        before = {name: str(value) for name, value in model_to_dict(obj).items()}
        self.record(obj, "delete", before=before)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete one by one, so that each leaves its audit row."""
        for obj in queryset:
            self.delete_model(request, obj)

    def record(self, obj: M, verb: str, **facts: Any) -> None:
        """Write the audit row; a secret's fields are not kept."""
        for values in facts.values():
            values.pop("password", None)
        audit.record(
            action=f"{obj._meta.model_name}.{verb}",
            organization=organization_of(obj),
            object_id=str(getattr(obj, "public_id", obj.pk)),
            reason="back office",
            **facts,
        )


def organization_of(obj: Model) -> Organization | None:
    """Return the organization to which a row belongs, if it belongs to one."""
    if isinstance(obj, Organization):
        return obj if obj.pk and not obj._state.adding else None
    found: Organization | None = getattr(obj, "organization", None)
    return found


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


class PersonForm(UserChangeForm):  # type: ignore[misc]  # Unfold is untyped
    """A person, as staff change him."""

    time_zone = forms.ChoiceField(choices=time_zones, widget=UnfoldAdminSelectWidget)


class NewPersonForm(UserCreationForm):  # type: ignore[misc]  # Unfold is untyped
    """A new person; his address is kept in lower case."""

    class Meta:
        model = User
        fields = ["email", "full_name"]

    def clean_email(self) -> str:
        """Fold the address, and refuse one that is taken."""
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError("There is an account with this address.", "unique")
        return email


@admin.register(User)
class UserAdmin(AuditedAdmin[User], DjangoUserAdmin):  # type: ignore[type-arg]  # not generic
    """People."""

    form = PersonForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "full_name", "public_id", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "full_name"]
    ordering = ["email"]
    readonly_fields = ["public_id", "email", "last_login", "created_at"]
    filter_horizontal = ["groups", "user_permissions"]
    fieldsets = [
        (None, {"fields": ["public_id", "email", "password"]}),
        ("Person", {"fields": ["full_name", "avatar_url", "time_zone"]}),
        (
            "Back office",
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
        ("Dates", {"fields": ["last_login", "created_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "full_name", "password1", "password2"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Let only superusers say who is staff; an address changes with its confirmation."""
        if obj is None:
            return []
        staff = ["is_staff", "is_superuser", "groups", "user_permissions"]
        is_super = getattr(request.user, "is_superuser", False)
        return self.readonly_fields if is_super else [*self.readonly_fields, *staff]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Refuse: rows name him as their cause, so he is made inactive instead."""
        return False


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


admin.site.unregister([Authenticator, UserSession])  # allauth's own show secrets


class SignInAdmin(AuditedAdmin[Any]):
    """Shows what lets people in and lets staff take it away, never make or change it."""

    ordering = ["-created_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: only the person himself does that."""
        return False

    has_change_permission = has_add_permission

    def record(self, obj: Any, verb: str, **facts: Any) -> None:
        """Write the audit row on the person; what is secret is not kept."""
        audit.record(
            action=f"{obj._meta.model_name}.{verb}",
            object_id=obj.user.public_id,
            before={name: str(getattr(obj, name)) for name in self.fields},
            reason="back office",
        )


@admin.register(Authenticator)
class AuthenticatorAdmin(SignInAdmin):
    """Second factors: removed where somebody has lost his and has shown who he is."""

    fields = ["user", "type", "created_at", "last_used_at"]
    list_display = fields
    list_filter = ["type"]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Tell each person once the removal is committed."""
        for person in {one.user for one in queryset}:
            transaction.on_commit(partial(tell_of_removal, request, person))
        return super().log_deletions(request, queryset)


@admin.register(UserSession)
class UserSessionAdmin(SignInAdmin):
    """Where people are signed in."""

    fields = ["user", "ip", "user_agent", "created_at", "last_seen_at"]
    list_display = fields
    ordering = ["-last_seen_at"]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Sign the person out there."""
        end_session(user=obj.user, session=obj)


def tell_of_removal(request: HttpRequest, person: User) -> None:
    """Send the notice that staff removed a second factor."""
    get_adapter(request).send_notification_mail("account/email/second_factor_removed", person)
