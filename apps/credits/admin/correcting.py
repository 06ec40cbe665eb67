"""The two steps by which staff correct a wallet: fill in, then confirm what is shown."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core import ids
from apps.core.errors import DomainError
from apps.credits import selectors
from apps.credits.admin.base import staff_of
from apps.credits.admin.forms import CorrectionForm, show_refusal
from apps.credits.admin.previews import Fact, facts_of_terms, number, preview_page
from apps.credits.errors import PreviewOutdated
from apps.credits.models import Correction, Wallet
from apps.credits.services.corrections import preview_correction, request_correction


class CorrectionDesk:
    """One answer to a member of staff who corrects a wallet."""

    def __init__(self, request: HttpRequest, wallet: Wallet, frame: dict[str, Any]) -> None:
        self.request = request
        self.wallet = wallet
        self.frame = {**frame, "title": "Correct a wallet", "wallet": wallet}

    def answer(self) -> HttpResponse:
        """Show the form, its preview, or what came of the confirmation."""
        if self.request.method != "POST":
            return self.show_form(CorrectionForm(wallet=self.wallet, initial=self.initial()))
        form = CorrectionForm(self.request.POST, wallet=self.wallet)
        step = self.request.POST.get("step")
        if not form.is_valid():
            return self.show_form(form, status=422)
        if step == "edit":
            return self.show_form(form)
        token = self.request.POST.get("preview_token", "") if step == "confirm" else ""
        try:
            # Nothing is posted that was not shown: without a preview there is one first.
            return self.confirm(form, token) if token else self.show_preview(form)
        except DomainError as refusal:
            show_refusal(form, refusal)
            return self.show_form(form, status=422)

    def initial(self) -> dict[str, object]:
        """Return what the address fills in, and an id for what the form will do."""
        names = CorrectionForm.base_fields.keys() - {"correction_id"}
        given = {name: value for name, value in self.request.GET.items() if name in names}
        return {"action": Correction.Action.GRANT.value, **given, "correction_id": ids.new_id()}

    def confirm(self, form: CorrectionForm, token: str) -> HttpResponse:
        """
        Post what was shown, or ask for a second person, and show the correction.

        :raises DomainError: whatever the ledger refuses.
        """
        try:
            correction = request_correction(
                wallet=self.wallet,
                action=form.chosen_action,
                terms=form.terms,
                why=form.why,
                user=staff_of(self.request),
                preview_token=token,
                correction_id=form.cleaned_data["correction_id"],
            )
        except PreviewOutdated as refusal:
            return self.show_preview(form, warning=str(refusal), status=409)
        if correction.status == Correction.Status.PENDING:
            messages.warning(self.request, "Nothing is posted yet: somebody else must agree.")
        else:
            messages.success(self.request, "The correction is posted.")
        return redirect(reverse("admin:credits_correction_change", args=[correction.pk]))

    def facts(self, form: CorrectionForm, amount: int) -> list[Fact]:
        """Return what was typed, in words, to be read once more."""
        why = form.why
        facts: list[Fact] = [
            *facts_of_terms(form.chosen_action, form.terms, amount),
            ("Reason", why.reason.label),
            ("Note", why.note),
            ("Ticket", why.ticket),
        ]
        return [(name, value) for name, value in facts if value not in ("", None)]

    def show_form(self, form: CorrectionForm, *, status: int = 200) -> HttpResponse:
        """Show the form, with what is wrong where it can be mended."""
        page = {**self.frame, "form": form, "limit": number(selectors.correction_limit())}
        return render(self.request, "admin/credits/correct.html", page, status=status)

    def show_preview(
        self, form: CorrectionForm, *, warning: str = "", status: int = 200
    ) -> HttpResponse:
        """
        Show what would be posted now, to be confirmed.

        :raises DomainError: whatever the ledger would refuse.
        """
        shown = preview_correction(wallet=self.wallet, action=form.chosen_action, terms=form.terms)
        page = {
            **self.frame,
            **preview_page(self.wallet, shown),
            "title": "Confirm the correction",
            "form": form,
            "facts": self.facts(form, shown.amount),
            "token": shown.token,
            "warning": warning,
            "limit": number(selectors.correction_limit()),
        }
        return render(self.request, "admin/credits/preview.html", page, status=status)
