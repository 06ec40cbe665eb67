"""Pay an open invoice with the saved card, and take the statement of a month."""

import hashlib
from datetime import date

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from apps.billing.errors import StripeUnavailable
from apps.billing.models import BillingDocument, InvoiceAttempt
from apps.billing.pages.base import BillingPage
from apps.billing.pages.forms import KEY
from apps.billing.selectors.billing_statements import statement_facts, statement_name
from apps.billing.selectors.history import document_of
from apps.billing.services import invoice_attempts
from apps.billing.services.keyed import write_once
from apps.core.documents import pdf_response
from apps.core.errors import DomainError

Status = InvoiceAttempt.Status


class PayForm(forms.Form):
    """Pay once for each key."""

    idempotency_key = forms.RegexField(KEY)


class MonthForm(forms.Form):
    """Which month a statement is of."""

    month = forms.DateField(input_formats=["%Y-%m"])


class PayInvoice(BillingPage):
    """Charge an open invoice to the saved card."""

    permission = "billing.manage"

    def post(self, request: HttpRequest, slug: str, document_id: str) -> HttpResponseBase:
        """Charge it once for the form's key, and say on the list what came of it."""
        document = document_of(self.organization, BillingDocument.read_id(document_id))
        form = PayForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Nothing was charged. Press the button of an open invoice.")
            return redirect("billing:invoices", slug)
        try:
            attempt = self.pay_once(document, form.cleaned_data["idempotency_key"])
            invoice_attempts.raise_refusal(attempt)
        except StripeUnavailable as error:
            messages.warning(request, str(error))
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, said_of(attempt))
        return redirect("billing:invoices", slug)

    def pay_once(self, document: BillingDocument, key: str) -> InvoiceAttempt:
        """
        Write the attempt down once for its key, and ask Stripe.

        :raises InvoiceNotOpen: if there is nothing to pay on it.
        :raises StripeUnavailable: if Stripe does not answer; the sweep asks again.
        """
        written = write_once(
            scope=f"{self.organization.public_id}:{self.user.public_id}:page:billing:pay",
            key=f"{key}:{document.public_id}",
            digest=hashlib.sha256(document.public_id.encode()).digest(),
            write=lambda: invoice_attempts.request(
                organization=self.organization, user=self.user, document_id=document.pk
            ),
        )
        return invoice_attempts.resume(self.organization, written)


class Statement(BillingPage):
    """The statement of a month as a PDF."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Answer the file; back to the list where the month is none."""
        form = MonthForm(request.GET)
        if not form.is_valid():
            messages.error(request, "Choose a month for the statement.")
            return redirect("billing:invoices", slug)
        month: date = form.cleaned_data["month"]
        return pdf_response(
            filename=statement_name(self.organization, month),
            template="billing/statement_document.html",
            facts=statement_facts(self.organization, month),
        )


def said_of(attempt: InvoiceAttempt) -> str:
    """Return what is said of an attempt that nothing stands against."""
    if attempt.status == Status.PAID:
        return "The invoice is paid."
    return "The bank works on the payment. The invoice is paid as soon as it says so."
