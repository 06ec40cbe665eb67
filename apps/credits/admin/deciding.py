"""The page of one correction: what was asked for, what it does, and the decision."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.errors import DomainError
from apps.credits import selectors
from apps.credits.admin.base import may_decide, staff_of
from apps.credits.admin.forms import DecisionForm, show_refusal
from apps.credits.admin.previews import Fact, facts_of_terms, number, preview_page, table_of
from apps.credits.models import Correction, CreditTransaction
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import (
    approve_correction,
    preview_correction,
    reject_correction,
)


class DecisionDesk:
    """One answer to a member of staff who looks at a correction."""

    def __init__(self, request: HttpRequest, correction: Correction, frame: dict[str, Any]) -> None:
        self.request = request
        self.correction = correction
        self.frame = frame

    def answer(self) -> HttpResponse:
        """
        Show the correction, or carry out the decision.

        :raises PermissionDenied: if this person decides nothing.
        """
        if self.request.method != "POST":
            return self.show(DecisionForm())
        if not may_decide(self.request):
            raise PermissionDenied
        form = DecisionForm(self.request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            return self.decide(form)
        except DomainError as refusal:
            show_refusal(form, refusal)
            # Somebody else may have decided it since it was read.
            self.correction = selectors.corrections().get(pk=self.correction.pk)
            return self.show(form, status=refusal.status)

    def decide(self, form: DecisionForm) -> HttpResponse:
        """
        Approve or reject it, and show what came of it.

        :raises DomainError: if this person may not decide it, or it can no longer be posted.
        """
        user, comment = staff_of(self.request), form.cleaned_data["comment"]
        match self.request.POST.get("decision"):
            case "approve":
                approve_correction(correction=self.correction, user=user, comment=comment)
                messages.success(self.request, "The correction is posted.")
            case "reject" if comment.strip():
                reject_correction(correction=self.correction, user=user, comment=comment)
                messages.success(self.request, "The correction is rejected.")
            case "reject":
                form.add_error("comment", "Say why, for whoever asked.")
                return self.show(form, status=422)
            case _:
                form.add_error(None, "Approve or reject it.")
                return self.show(form, status=422)
        return redirect(reverse("admin:credits_correction_change", args=[self.correction.pk]))

    def show(self, form: DecisionForm, *, status: int = 200) -> HttpResponse:
        """Show all that is known, with the form for those who may decide now."""
        correction = self.correction
        is_waiting = correction.status == Correction.Status.PENDING
        is_too_old = is_waiting and correction.expires_at <= database_now()
        is_maker = correction.requested_by_id == self.request.user.pk
        page = {
            **self.frame,
            "title": "Correction",
            "correction": correction,
            "wallet": correction.wallet,
            "back_url": reverse("admin:credits_wallet_change", args=[correction.wallet_id]),
            "facts": facts_of(correction),
            "form": form,
            "is_waiting": is_waiting,
            "is_too_old": is_too_old,
            "is_maker": is_maker,
            "can_decide": is_waiting
            and not is_too_old
            and not is_maker
            and may_decide(self.request),
            **(self.effect_now() if is_waiting else self.effect()),
        }
        return render(self.request, "admin/credits/correction.html", page, status=status)

    def effect_now(self) -> dict[str, Any]:
        """Return what it would do to the wallet as it is now, or why it could not."""
        correction = self.correction
        try:
            shown = preview_correction(
                wallet=correction.wallet,
                action=Correction.Action(correction.action),
                terms=Terms.from_json(correction.terms),
            )
        except DomainError as refusal:
            return {"effect": None, "refusal": str(refusal)}
        return {
            "effect": {**preview_page(correction.wallet, shown), "title": "What it would do now"}
        }

    def effect(self) -> dict[str, Any]:
        """Return what it did; nothing, if it was rejected."""
        rows = list(
            CreditTransaction.objects.filter(
                wallet=self.correction.wallet, reference=self.correction.reference
            ).order_by("sequence")
        )
        if not rows:
            return {"effect": None}
        before = rows[0].balance_after - rows[0].amount
        return {
            "effect": {
                "title": "What it did",
                "before": number(before),
                "after": number(rows[-1].balance_after),
                "table": table_of(rows),
            }
        }


def facts_of(correction: Correction) -> list[Fact]:
    """Return what was asked for, why, and who decided, in words."""
    facts: list[tuple[str, object, bool]] = [
        ("Reason", correction.get_reason_display(), True),
        ("Note", correction.note, bool(correction.note)),
        ("Ticket", correction.ticket, bool(correction.ticket)),
        ("Asked for by", correction.requested_by, True),
        ("Asked for", correction.created_at, True),
        ("Can be decided until", correction.expires_at, correction.needs_second_person),
        ("Decided by", correction.decided_by, correction.decided_by is not None),
        ("Decided", correction.decided_at, correction.decided_at is not None),
        ("Comment", correction.comment, bool(correction.comment)),
    ]
    return [
        ("Correction", correction.public_id),
        *facts_of_terms(
            Correction.Action(correction.action),
            Terms.from_json(correction.terms),
            correction.amount,
        ),
        *((name, value) for name, value, is_told in facts if is_told),
    ]
