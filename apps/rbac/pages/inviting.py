"""The pages of an organization's invitations."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from apps.core import paging
from apps.core.clock import database_now
from apps.core.errors import DomainError
from apps.core.pages import add_refusal
from apps.rbac import selectors
from apps.rbac.models import Invitation
from apps.rbac.pages.base import TenantPage
from apps.rbac.pages.people_forms import InvitationFilter, InviteForm, state_label
from apps.rbac.permissions import MEMBER
from apps.rbac.services import invitations
from apps.rbac.services.invitations import Row

PAGE_SIZE = 25
PERMISSION = "members.manage"


class Invitations(TenantPage):
    """Who was invited, and the form that invites one or many."""

    permission = "members.view"
    permission_to_change = PERMISSION

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show one page of invitations, newest first."""
        return self.show(request, self.form())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Invite every address, and tell for each what became of it."""
        form = self.form(request.POST)
        if form is None or not form.is_valid():
            return self.show(request, form)
        try:
            rows = invitations.invite_many(
                organization=self.organization,
                emails=form.addresses,
                role=form.cleaned_data["role"],
                by=self.user,
            )
        except DomainError as error:
            add_refusal(form, error)
            return self.show(request, form)
        return self.show(request, self.form_for(rows, form.cleaned_data["role"]), rows=rows)

    def form(self, data: Any = None, **kwargs: Any) -> InviteForm | None:
        """Return the form with the roles that the viewer may give; None if he may not invite."""
        if not self.user.has_perm(PERMISSION, self.organization):
            return None
        held = selectors.held_by(self.user, self.organization)
        roles = list(selectors.roles_within(self.organization, held))
        member = next((role.pk for role in roles if role.name == MEMBER.name), None)
        kwargs.setdefault("initial", {"role": member})
        return InviteForm(data, roles=roles, **kwargs)

    def form_for(self, rows: Sequence[Row], role: Any) -> InviteForm | None:
        """Return the form with the addresses that failed, to be put right and sent again."""
        failed = "\n".join(row.email for row in rows if row.error)
        return self.form(initial={"emails": failed, "role": role.pk})

    def show(
        self, request: HttpRequest, form: InviteForm | None, *, rows: Sequence[Row] = ()
    ) -> HttpResponse:
        """Show the list, the form, and what became of addresses that were just sent."""
        filter_form, now = InvitationFilter(request.GET), database_now()
        found = selectors.invitations_of(self.organization)
        if filter_form.state:
            found = selectors.invitations_in(found, filter_form.state, now)
        after = request.GET.get("after", "")
        shown, beginning = self.page_of(found, after)
        here = reverse("rbac:invitations", args=[self.organization.slug])
        chosen = {"status": filter_form.state} if filter_form.state else {}
        next_query = urlencode({**chosen, "after": beginning})
        context = {
            "invitations": [line_of(one, now) for one in shown],
            "seats": selectors.seats_of(self.organization),
            "form": form,
            "rows": rows,
            "failed": sum(row.error is not None for row in rows),
            "filter_form": filter_form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "next_url": f"{here}?{next_query}" if beginning else None,
            "first_url": f"{here}?{urlencode(chosen)}" if after else None,
        }
        return render(request, "rbac/invitations.html", context)

    def page_of(self, found: Any, after: str) -> tuple[list[Invitation], str]:
        """Return one page of invitations, and the id after which the next one begins."""
        last_id = Invitation.read_id(after)
        mine = selectors.invitations_of(self.organization)
        last = mine.filter(pk=last_id).first() if last_id else None
        shown, end = paging.page_of(paging.after(found, last), size=PAGE_SIZE)
        return shown, end.public_id if end else ""


def line_of(invitation: Invitation, now: Any) -> dict[str, Any]:
    """Return one invitation as the template wants it."""
    is_pending = invitation.status == Invitation.Status.PENDING
    free_at = invitations.resend_after(invitation)
    return {
        "id": invitation.public_id,
        "email": invitation.email,
        "role": invitation.role_name or "Deleted",
        "invited_by": invitation.invited_by,
        "state": invitation.state,
        "label": state_label(invitation),
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "sent_at": invitation.sent_at,
        # Neither sent nor to be sent: the mail server refused it for hours.
        "has_failed": is_pending and not invitation.sent_at and not invitation.mail_due_at,
        "may_revoke": is_pending,
        "may_resend": is_pending and free_at <= now,
        "free_at": free_at if is_pending and free_at > now else None,
    }


class ChangedInvitation(TenantPage):
    """What can be done with one invitation."""

    permission = PERMISSION

    def find(self, invitation_id: str) -> Invitation:
        """
        Return the organization's invitation with this id.

        :raises Http404: if there is none.
        """
        row_id = Invitation.read_id(invitation_id)
        if row_id is None:
            raise Http404
        return get_object_or_404(selectors.invitations_of(self.organization), pk=row_id)


class ResendInvitation(ChangedInvitation):
    """Another mail for an invitation."""

    permission = PERMISSION

    def post(self, request: HttpRequest, slug: str, invitation_id: str) -> HttpResponse:
        """Send it again, with a new link."""
        again = invitations.resend(invitation=self.find(invitation_id), by=self.user)
        messages.success(request, f"The invitation goes to {again.email} again.")
        return redirect("rbac:invitations", slug=slug)


class RevokeInvitation(ChangedInvitation):
    """The end of an invitation; the list asks before it posts here."""

    permission = PERMISSION

    def post(self, request: HttpRequest, slug: str, invitation_id: str) -> HttpResponse:
        """Revoke it."""
        ended = invitations.revoke(invitation=self.find(invitation_id))
        messages.success(request, f"The invitation of {ended.email} is revoked.")
        return redirect("rbac:invitations", slug=slug)
