"""Staff pages of looking in a member's place: begin it from a person, and see who did."""

from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.rbac.models import Impersonation
from apps.rbac.selectors import organizations_of
from apps.rbac.selectors.impersonations import IMPERSONATE
from apps.rbac.services.impersonation_sessions import begin
from apps.rbac.services.impersonations import start_impersonation
from apps.tenants.admin import UserAdmin
from apps.tenants.models import Organization, User

admin.site.unregister(User)  # registered once more below, with what this app adds


class ImpersonationForm(forms.Form):
    """Where to look, and why."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(), widget=UnfoldAdminSelectWidget
    )
    reason = forms.CharField(
        max_length=1000,
        widget=UnfoldAdminTextareaWidget,
        help_text="The owners read it.",
    )
    ticket = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="What the customer asked in: its number or address.",
    )

    def __init__(self, *args: Any, person: User) -> None:
        super().__init__(*args)
        organization = self.fields["organization"]
        assert isinstance(organization, forms.ModelChoiceField)
        organization.queryset = organizations_of(person)


@admin.register(User)
class PersonAdmin(UserAdmin):
    """People, and the way into their place."""

    actions_detail = ["impersonate"]

    def has_impersonate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those look in a person's place whose role as staff allows it."""
        return request.user.has_perm(IMPERSONATE)

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Look in this person's place",
        url_path="impersonate",
        icon="visibility",
        permissions=["impersonate"],
    )
    def impersonate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """
        Ask for the password once more, then where and why, and begin.

        :raises Http404: if there is no such person.
        """
        person = self.get_object(request, object_id)
        if person is None:
            raise Http404
        if not self.has_impersonate_permission(request) or not isinstance(request.user, User):
            raise PermissionDenied
        # Before the form, so that nothing is typed twice: allauth asks, and leads back here.
        raise_if_reauthentication_required(request, app="apps.rbac")
        form = ImpersonationForm(request.POST or None, person=person)
        if request.method == "POST" and form.is_valid():
            try:
                started = start_impersonation(
                    staff_user=request.user, user=person, **form.cleaned_data
                )
            except DomainError as refusal:
                form.add_error(None, str(refusal))
            else:
                begin(session=request.session, impersonation=started)
                return redirect("organization", slug=started.organization.slug)
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Look in the place of {person.get_full_name()}",
            "person": person,
            "form": form,
            "back_url": reverse("admin:tenants_user_change", args=[person.pk]),
        }
        return render(request, "admin/rbac/impersonate.html", page)


@admin.register(Impersonation)
class ImpersonationAdmin(ReadOnlyAdmin[Impersonation]):
    """Who of staff looked where in whose place, and why."""

    list_display = [
        *("started_at", "staff_user", "user", "organization", "ticket", "reason"),
        *("ended_at", "end_cause"),
    ]
    list_filter = [("ended_at", admin.EmptyFieldListFilter), "end_cause"]
    search_fields = ["staff_user__email", "user__email", "organization__slug", "ticket", "reason"]
    search_help_text = "Staff, member, organization, ticket or reason"
    list_select_related = ["staff_user", "user", "organization"]
    ordering = ["-started_at", "-id"]
