"""The pages of a programme's members."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.core.pages import add_refusal
from apps.partners.models import PartnerMember
from apps.partners.pages.base import ProgrammePage
from apps.partners.pages.forms import DeedForm, InviteForm, MemberFilter, MemberForm
from apps.partners.selectors.members import (
    COLUMNS,
    counts_of,
    groups_of,
    member_of,
    member_rows,
    members_of,
    offered_to,
)
from apps.partners.selectors.programmes import seats_taken, terms_of
from apps.partners.services import invitations
from apps.partners.services.members import NewMember
from apps.partners.services.standing import Known, update_member


class Members(ProgrammePage):
    """Who belongs to the programme."""

    tab = "members"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of members, newest first, or all of them as CSV."""
        form = MemberFilter(request.GET, groups=groups_of(self.partner))
        rows = members_of(self.partner, **form.chosen)
        if self.wants_file:
            return stream_csv(
                filename=f"{slug}-programme-members.csv",
                columns=COLUMNS,
                rows=member_rows(rows),
            )
        here = reverse("partners:members", args=[slug])
        chosen = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
        shown, links = self.listed(rows, here, chosen, among=members_of(self.partner))
        counts = counts_of(self.partner)
        page = {"members": shown, "counts": counts, "filter_form": form, **links}
        return self.show("partners/members.html", page)


class Invite(ProgrammePage):
    """The form that invites one or many."""

    permission = "partners.manage"
    tab = "members"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Ask for addresses."""
        return self.draw(InviteForm(groups=groups_of(self.partner)))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Invite everybody, or nobody where something is wrong."""
        form = InviteForm(request.POST, groups=groups_of(self.partner))
        if not form.is_valid():
            return self.draw(form, status=422)
        group = form.cleaned_data["group"]
        people = [NewMember(email, group=group) for email in form.cleaned_data["emails"]]
        try:
            found = invitations.invite(partner=self.partner, people=people, by=self.user)
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(form, status=error.status)
        messages.success(request, told(len({one.pk for one in found})))
        return redirect("partners:members", slug)

    def draw(self, form: InviteForm, status: int = 200) -> HttpResponse:
        """Draw the page, with how many seats are left."""
        terms = terms_of(self.partner)
        page = {"form": form, "terms": terms, "seats_taken": seats_taken(self.partner)}
        return self.show("partners/invite.html", page, status)


class Member(ProgrammePage):
    """One member: how he is known, how he stands, and what can be done."""

    tab = "members"

    def get(self, request: HttpRequest, slug: str, member_id: str) -> HttpResponse:
        """Show him."""
        member = member_of(self.partner, member_id)
        return self.draw(member, self.form_of(member))

    def post(self, request: HttpRequest, slug: str, member_id: str) -> HttpResponse:
        """Know him otherwise."""
        member = member_of(self.partner, member_id)
        form = MemberForm(request.POST, groups=groups_of(self.partner))
        if not form.is_valid():
            return self.draw(member, form, status=422)
        try:
            update_member(member=member, known=Known(**form.cleaned_data))
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(member, form, status=error.status)
        messages.success(request, "The member is changed.")
        return redirect("partners:member", slug, member_id)

    def form_of(self, member: PartnerMember) -> MemberForm:
        """Return the form with what is known of him."""
        initial: dict[str, Any] = {
            name: getattr(member, name) for name in ("email", "first_name", "last_name")
        }
        initial["group"] = member.group.public_id if member.group else ""
        return MemberForm(initial=initial, groups=groups_of(self.partner))

    def draw(
        self,
        member: PartnerMember,
        form: MemberForm,
        status: int = 200,
        deed: DeedForm | None = None,
    ) -> HttpResponse:
        """Draw the page, with what would go if he were removed, and the deed that was refused."""
        deeds = {f"{verb}_form": DeedForm(verb=verb) for verb in DeedForm.LABELS}
        page = {
            "member": member,
            "form": form,
            **deeds,
            **({f"{deed.verb}_form": deed} if deed else {}),
            "offered": offered_to(member),
            "terms": terms_of(self.partner),
        }
        return self.show("partners/member.html", page, status)


def told(count: int) -> str:
    """Say how many addresses are in the programme now."""
    if count == 1:
        return "The address is in the programme; a link is on its way to whoever has not claimed."
    return f"{count} addresses are in the programme; links are on their way to who has not claimed."
