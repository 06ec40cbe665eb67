"""The pages of awards: what was handed on, hand on more, extend and revoke."""

import hashlib
import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.core.pages import add_refusal
from apps.credits.selectors import balance_of, main_wallet
from apps.partners import selectors
from apps.partners.errors import AwardKeyReused
from apps.partners.models import PartnerCredit
from apps.partners.pages.award_forms import AwardFilterForm, AwardForm, ExtendForm
from apps.partners.pages.base import ProgrammePage
from apps.partners.pages.forms import ReasonForm
from apps.partners.selectors.awards import COLUMNS
from apps.partners.services import awards, claims, settling
from apps.partners.services.awards import AwardRequest


class Awards(ProgrammePage):
    """What was awarded, and how it stands."""

    tab = "awards"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of awards, newest first, or all of them as CSV."""
        form = AwardFilterForm(request.GET, partner=self.partner)
        rows = selectors.awards_of(self.partner, form.chosen)
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-programme-awards.csv",
                columns=COLUMNS,
                rows=selectors.award_rows(rows),
            )
        here = reverse("partners:awards", args=[slug])
        chosen = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
        every = selectors.awards_of(self.partner)
        shown, links = self.listed(rows, here, chosen, among=every)
        page = {
            "awards": [_line(one) for one in shown],
            "pool": balance_of(main_wallet(self.organization)).available,
            "filter_form": form,
            **links,
        }
        return self.show("partners/awards.html", page)


class NewAward(ProgrammePage):
    """The form that awards: first it says what it would do, then it does it."""

    permission = "partners.manage"
    tab = "awards"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Ask for whom, and how many."""
        initial = {"member": request.GET.get("member", "")}
        return self.draw(AwardForm(initial=initial, partner=self.partner))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Say what it would do; once exactly that is confirmed, do it."""
        form = AwardForm(request.POST, partner=self.partner)
        if not form.is_valid():
            return self.draw(form, status=422)
        try:
            asked = self.request_of(form.cleaned_data)
            if request.POST.get("confirmed") != digest_of(asked):
                preview = awards.preview_award(partner=self.partner, request=asked)
                return self.draw(form, preview=preview, seen=digest_of(asked))
            made = awards.award(partner=self.partner, request=asked, by=self.user).award
        except AwardKeyReused as error:
            text = f"This form has awarded {error.details['credits']} credits already."
            messages.error(request, f"{text} For another award begin with an empty one.")
            return redirect("partners:new_award", slug)
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(form, status=error.status)
        messages.success(request, f"{made.credits} credits are awarded to {made.member.email}.")
        return redirect("partners:award", slug, made.public_id)

    def request_of(self, chosen: dict[str, Any]) -> AwardRequest:
        """Return what is asked for."""
        return AwardRequest(
            member=selectors.receiver_of(self.partner, chosen["member"]),
            credits=chosen["credits"],
            key=f"page:{chosen['key']}",
            validity_days=chosen["validity_days"],
            campaign=chosen["campaign"],
            note=chosen["note"],
        )

    def draw(
        self,
        form: AwardForm,
        status: int = 200,
        preview: awards.AwardPreview | None = None,
        seen: str = "",
    ) -> HttpResponse:
        """Draw the page, with what is left of the pool."""
        page = {
            "form": form,
            "preview": preview,
            "seen": seen,
            "terms": selectors.terms_of(self.partner),
            "pool": balance_of(main_wallet(self.organization)).available,
        }
        return self.show("partners/new_award.html", page, status)


class Award(ProgrammePage):
    """One award, and what can be done with what is left of it."""

    tab = "awards"

    def get(self, request: HttpRequest, slug: str, award_id: str) -> HttpResponse:
        """Show it."""
        return self.draw(award_id)

    def draw(
        self,
        award_id: str,
        status: int = 200,
        *,
        extend_form: ExtendForm | None = None,
        revoke_form: ReasonForm | None = None,
    ) -> HttpResponse:
        """Draw the page, with exactly what a revocation would take back now."""
        award = selectors.award_of(self.partner, award_id)
        page = {
            **_line(award),
            "extend_form": extend_form or ExtendForm(),
            "revoke_form": revoke_form or ReasonForm(),
        }
        return self.show("partners/award.html", page, status)


class Extend(Award):
    """A later end."""

    permission = "partners.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, award_id: str) -> HttpResponse:
        """Extend it."""
        award = selectors.award_of(self.partner, award_id)
        form = ExtendForm(request.POST)
        if not form.is_valid():
            return self.draw(award_id, 422, extend_form=form)
        try:
            claims.extend(award=award, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(award_id, error.status, extend_form=form)
        messages.success(request, "The award lasts longer now.")
        return redirect("partners:award", slug, award_id)


class Revoke(Award):
    """An end before its date."""

    permission = "partners.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, award_id: str) -> HttpResponse:
        """Take back what is not used."""
        award = selectors.award_of(self.partner, award_id)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.draw(award_id, 422, revoke_form=form)
        try:
            taken = settling.revoke(award=award, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(award_id, error.status, revoke_form=form)
        messages.success(request, f"The award is revoked: {taken.credits} credits are taken back.")
        return redirect("partners:award", slug, award_id)


def digest_of(asked: AwardRequest) -> str:
    """Return what stands for an award that was shown, so that no other one is confirmed by it."""
    campaign = asked.campaign.public_id if asked.campaign else ""
    shown = [asked.member.public_id, asked.credits, asked.validity_days, campaign, asked.note]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def _line(award: PartnerCredit) -> dict[str, Any]:
    return {"award": award, "standing": selectors.read_standing(award)}
