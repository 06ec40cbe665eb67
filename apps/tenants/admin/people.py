"""Staff pages of people."""

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from apps.tenants.admin.base import AuditedAdmin, tell_once_committed
from apps.tenants.models import User
from apps.tenants.selectors import time_zones
from apps.tenants.services import people


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

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only superusers change superusers."""
        is_super = getattr(request.user, "is_superuser", False)
        if obj is not None and obj.is_superuser and not is_super:
            return False
        may: bool = super().has_change_permission(request, obj)
        return may

    @method_decorator(sensitive_post_parameters())
    @transaction.atomic
    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """
        Set somebody's password, write it down, sign him out and tell him.

        :raises PermissionDenied: if he is of the staff and who asks is no superuser: with
            the password go the rights.
        """
        person: User | None = self.get_object(request, unquote(id))
        is_super = getattr(request.user, "is_superuser", False)
        if person is not None and person.is_staff and not is_super:
            raise PermissionDenied
        before = person.password if person else ""
        answer = super().user_change_password(request, id, form_url)
        if person is not None and User.objects.get(pk=person.pk).password != before:
            keep = request.session.session_key if request.user == person else None
            people.note_new_password(user=person, keep=keep, reason="back office")
            tell_once_committed(request, "account/email/password_set_by_staff", person)
        return answer

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Refuse: rows name him as their cause, so he is made inactive instead."""
        return False
