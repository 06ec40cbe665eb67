"""The pages of an organization's members."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core import paging
from apps.core.errors import NotFound
from apps.core.exports import stream_csv
from apps.rbac import selectors
from apps.rbac.pages.base import TenantPage
from apps.rbac.pages.people_forms import MemberFilter, RoleForm
from apps.rbac.services import members

PAGE_SIZE = 25


class Members(TenantPage):
    """Who belongs to the organization."""

    permission = "members.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of members, newest first, or all of them as CSV."""
        roles = list(selectors.roles_in(self.organization))
        form = MemberFilter(request.GET, roles=roles)
        rows = selectors.memberships_of(self.organization, **form.chosen)
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-members.csv",
                columns=selectors.MEMBER_COLUMNS,
                rows=selectors.member_rows(rows),
            )
        after = request.GET.get("after", "")
        shown, beginning = page_of(rows, self.find_last(after))
        here = reverse("rbac:members", args=[slug])
        chosen = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
        next_query = urlencode({**chosen, "after": beginning})
        context = {
            "members": shown,
            "seats": selectors.seats_of(self.organization),
            "role_form": self.role_form(),
            "filter_form": form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{next_query}" if beginning else None,
            "first_url": f"{here}?{urlencode(chosen)}" if after else None,
        }
        return render(request, "rbac/members.html", context)

    def role_form(self) -> RoleForm | None:
        """Return the form of roles that the viewer may give; None where he may change nothing."""
        if not self.user.has_perm("members.manage", self.organization):
            return None
        held = selectors.held_by(self.user, self.organization)
        # No ids: the same form stands in every row.
        return RoleForm(roles=selectors.roles_within(self.organization, held), auto_id=False)

    def find_last(self, after: str) -> Any:
        """Return the last member of the page before; None begins at the beginning."""
        try:
            return selectors.membership_of(self.organization, after) if after else None
        except NotFound:
            return None


def page_of(rows: Any, last: Any) -> tuple[list[Any], str]:
    """Return one page of members, and the id after which the next one begins."""
    shown, end = paging.page_of(paging.after(rows, last, by="joined_at"), size=PAGE_SIZE)
    return shown, end.public_id if end else ""


class ChangeRole(TenantPage):
    """Another role for a member."""

    permission = "members.manage"

    def post(self, request: HttpRequest, slug: str, user_id: str) -> HttpResponse:
        """Give the member the chosen role instead of those he has."""
        member = selectors.membership_of(self.organization, user_id)
        form = RoleForm(request.POST, roles=selectors.roles_in(self.organization))
        if not form.is_valid():
            messages.error(request, "Choose one of the roles.")
            return redirect("rbac:members", slug=slug)
        role = form.cleaned_data["role"]
        members.set_roles(organization=self.organization, user=member, roles=[role], by=self.user)
        messages.success(request, f"{member.get_full_name()} is {role.name} now.")
        return redirect("rbac:members", slug=slug)


class RemoveMember(TenantPage):
    """The end of a membership; the list of members asks before it posts here."""

    permission = "members.manage"

    def post(self, request: HttpRequest, slug: str, user_id: str) -> HttpResponse:
        """Remove the member, with his roles, API keys and open invitations."""
        member = selectors.membership_of(self.organization, user_id)
        members.remove_member(organization=self.organization, user=member, by=self.user)
        messages.success(request, f"{member.get_full_name()} is removed.")
        if member == self.user:
            return redirect("organizations")
        return redirect("rbac:members", slug=slug)


class Leave(TenantPage):
    """The end of one's own membership."""

    permission = "organization.view"

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Leave the organization."""
        members.leave(organization=self.organization, user=self.user)
        messages.success(request, f"You have left {self.organization.name}.")
        return redirect("organizations")
