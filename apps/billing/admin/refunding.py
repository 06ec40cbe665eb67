"""The two steps by which staff refund a payment: fill in, then confirm what is shown."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from apps.billing.errors import RefundTooLarge, StripeUnavailable
from apps.billing.models import Payment, Refund
from apps.billing.services.refund_requests import Preview, preview_refund, request_refund
from apps.core import ids
from apps.core.errors import DomainError
from apps.core.money import EXPONENTS, format_money
from apps.credits.admin.base import staff_of


class RefundForm(forms.Form):
    """How much of a payment goes back, and why."""

    refund_id = forms.UUIDField(widget=forms.HiddenInput)
    amount = forms.DecimalField(
        required=False,
        min_value=Decimal("0.0001"),
        max_digits=18,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Empty: all that is left.",
    )
    reason = forms.ChoiceField(
        choices=[(one.value, one.label) for one in Refund.OF_STAFF], widget=UnfoldAdminSelectWidget
    )
    note = forms.CharField(
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="For the audit log. The customer does not see it.",
    )

    def __init__(self, *args: Any, payment: Payment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = EXPONENTS.get(payment.currency.upper(), 2)
        self.fields["amount"].label = f"Amount in {payment.currency.upper()}"

    def clean_amount(self) -> int | None:
        """
        Return minor units, or None for all that is left.

        :raises ValidationError: if the currency has no coin that small.
        """
        amount: Decimal | None = self.cleaned_data["amount"]
        if amount is None:
            return None
        minor = amount.scaleb(self.places)
        if minor != int(minor):
            raise forms.ValidationError("This currency has no coin that small.")
        return int(minor)


class RefundDesk:
    """One answer to a member of staff who refunds a payment."""

    def __init__(self, request: HttpRequest, payment: Payment, frame: dict[str, Any]) -> None:
        self.request = request
        self.payment = payment
        self.back_url = reverse("admin:billing_payment_change", args=[payment.pk])
        self.frame = {
            **frame,
            "title": "Refund a payment",
            "payment": payment,
            "back_url": self.back_url,
        }

    def answer(self) -> HttpResponse:
        """Show the form, its preview, or what came of the confirmation."""
        if self.request.method != "POST":
            return self.show_form(self.form(initial={"refund_id": ids.new_id()}))
        form = self.form(self.request.POST)
        if not form.is_valid():
            return self.show_form(form, status=422)
        step = self.request.POST.get("step")
        if step == "edit":
            return self.show_form(form)
        try:
            return self.confirm(form) if step == "confirm" else self.show_preview(form)
        except DomainError as refusal:
            field = "amount" if isinstance(refusal, RefundTooLarge) else None
            form.add_error(field, self.words(refusal))
            return self.show_form(form, status=refusal.status)

    def form(self, *args: Any, **kwargs: Any) -> RefundForm:
        """Return the form of this payment."""
        return RefundForm(*args, payment=self.payment, **kwargs)

    def confirm(self, form: RefundForm) -> HttpResponse:
        """
        Refund what was shown, and show the refund.

        The preview named the amount, so that what happened since then cannot enlarge it.

        :raises DomainError: if it cannot be refunded (any more).
        """
        chosen = form.cleaned_data
        try:
            refund = request_refund(
                payment=self.payment,
                refund_id=chosen["refund_id"],
                amount=chosen["amount"],
                reason=Refund.Reason(chosen["reason"]),
                note=chosen["note"],
                user=staff_of(self.request),
            )
        except StripeUnavailable as refusal:
            messages.warning(self.request, str(refusal))
            return redirect(self.back_url)
        money = format_money(refund.amount, self.payment.currency)
        messages.success(self.request, f"{money} refunded; {refund.credits} credits taken back.")
        return redirect(reverse("admin:billing_refund_change", args=[refund.pk]))

    def show_form(self, form: RefundForm, *, status: int = 200) -> HttpResponse:
        """Show the form, with what is wrong where it can be mended."""
        page = {**self.frame, "form": form}
        return render(self.request, "admin/billing/refund.html", page, status=status)

    def show_preview(self, form: RefundForm) -> HttpResponse:
        """
        Show what would go back now, in money and in credits, to be confirmed.

        :raises DomainError: if it cannot be refunded.
        """
        shown = preview_refund(payment=self.payment, amount=form.cleaned_data["amount"])
        exact = Decimal(shown.amount).scaleb(-form.places)
        named = self.form({**self.request.POST.dict(), "amount": f"{exact:f}"})
        page = {**self.frame, "form": named, "facts": self.facts(form, shown), "shown": shown}
        return render(self.request, "admin/billing/refund_preview.html", page)

    def facts(self, form: RefundForm, shown: Preview) -> list[tuple[str, str]]:
        """Return what would be done, in words."""
        currency = self.payment.currency
        purpose = self.payment.purpose
        days = [("Days taken back", "Their share of the money, as far as it is unused")]
        blocks = [("Blocks", "Stay with the customer until they are withdrawn: see Allocations")]
        return [
            ("Money back", format_money(shown.amount, currency)),
            ("Left to refund after it", format_money(shown.left - shown.amount, currency)),
            ("Credits taken back", f"{shown.credits_back:,}"),
            ("Used already, and owed from then on", f"{shown.credits_owed:,}"),
            ("Used already, with earlier refunds", f"{shown.credits_used:,}"),
            *(days if purpose == Payment.Purpose.PASS else []),
            *(blocks if purpose == Payment.Purpose.CAPACITY else []),
            ("Reason", Refund.Reason(form.cleaned_data["reason"]).label),
            ("Note", form.cleaned_data["note"]),
        ]

    def words(self, refusal: DomainError) -> str:
        """Write a refusal; amounts as people read them."""
        if not isinstance(refusal, RefundTooLarge):
            return str(refusal)
        left = format_money(refusal.details["left"], self.payment.currency)
        return f"Of this payment at most {left} can be refunded."
