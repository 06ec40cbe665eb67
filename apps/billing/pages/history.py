"""Invoices, receipts and credit notes: a list, a file of it, and a PDF of each."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.billing.models import BillingDocument, InvoiceAttempt
from apps.billing.pages.base import BillingPage
from apps.billing.pages.forms import DAY_INPUT, new_key
from apps.billing.selectors.billing_statements import months_of
from apps.billing.selectors.document_search import LONGEST
from apps.billing.selectors.history import (
    DOCUMENT_COLUMNS,
    DocumentFilters,
    document_of,
    document_rows,
    documents_of,
    last_attempt_of,
    matching_documents,
    receipts_of,
    sums_of,
)
from apps.billing.selectors.reloads import card_name, card_of
from apps.core import paging
from apps.core.clock import database_now
from apps.core.days import end_of, midnight
from apps.core.documents import pdf_response
from apps.core.exports import stream_csv
from apps.core.money import format_money

PAGE_SIZE = 25
OVERDUE = "overdue"  # a choice beside the states: open, and due before now


class DocumentFilter(forms.Form):
    """Which documents to show."""

    q = forms.CharField(required=False, label="Number, amount, plan", max_length=LONGEST)
    type = forms.ChoiceField(required=False, choices=[("", "All"), *BillingDocument.Kind.choices])
    status = forms.ChoiceField(
        required=False,
        choices=[("", "All"), (OVERDUE, "Overdue"), *BillingDocument.Status.choices],
    )
    from_date = forms.DateField(required=False, label="From", widget=forms.DateInput(DAY_INPUT))
    to_date = forms.DateField(required=False, label="Until", widget=forms.DateInput(DAY_INPUT))

    def filters(self) -> DocumentFilters:
        """Return what is asked for; what is not understood is not asked for."""
        self.is_valid()
        asked = self.cleaned_data
        kind, status = asked.get("type"), asked.get("status")
        first, last = asked.get("from_date"), asked.get("to_date")
        return DocumentFilters(
            kinds=[kind] if kind else (),
            statuses=[status] if status and status != OVERDUE else (),
            is_overdue=status == OVERDUE,
            text=asked.get("q", "").strip(),
            issued_from=midnight(first) if first else None,
            issued_before=end_of(last) if last else None,
        )


class Documents(BillingPage):
    """The organization's documents, the latest first."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of documents, or all that fit the filters as CSV."""
        form = DocumentFilter(request.GET)
        every = documents_of(self.organization)
        rows = matching_documents(every, form.filters())
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-billing-history.csv",
                columns=DOCUMENT_COLUMNS,
                rows=document_rows(rows),
            )
        before = BillingDocument.read_id(request.GET.get("before", ""))
        last = every.filter(pk=before).first() if before else None
        ordered = paging.after(rows.order_by("-issued_at", "-id"), last, by="issued_at")
        shown, end = paging.page_of(ordered, size=PAGE_SIZE)
        here = reverse("billing:invoices", args=[slug])
        chosen = {key: value for key, value in request.GET.items() if key in form.fields and value}
        older = urlencode({**chosen, "before": end.public_id}) if end else ""
        receipts, now = receipts_of(shown), database_now()
        page = {
            "documents": [
                document_line(one, now) | attempt_facts(one, receipts.get(one.payment_id))
                for one in shown
            ],
            "card": self.card(),
            "months": months_of(self.organization),
            "overdue_url": f"{here}?status={OVERDUE}",
            "sums": [
                {
                    "invoiced": format_money(one.invoiced, one.currency),
                    "due": format_money(one.due, one.currency),
                    "overdue": format_money(one.overdue, one.currency),
                    "is_overdue": one.overdue > 0,
                }
                for one in sums_of(self.organization)
            ],
            "filter_form": form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{older}" if end else None,
            "first_url": f"{here}?{urlencode(chosen)}" if last else None,
        }
        return self.show("billing/invoices.html", page)

    def card(self) -> str:
        """Return the card that an invoice is charged to, in words; empty if none is saved."""
        customer = card_of(self.organization)
        return card_name(customer) if customer else ""


class DocumentPdf(BillingPage):
    """One document as a PDF of our own."""

    def get(self, request: HttpRequest, slug: str, document_id: str) -> HttpResponse:
        """Answer the file."""
        found = document_of(self.organization, BillingDocument.read_id(document_id))
        return pdf_response(
            filename=f"{found.kind}-{found.public_id}.pdf",
            template="billing/document.html",
            facts={
                "organization": self.organization,
                "billed_to": found.billed_to or self.organization.name,
                "document": document_line(found, database_now()),
                "stripe_id": found.stripe_id,
                "credits": found.payment.credits if found.payment else 0,
                "what": found.payment.description if found.payment else "",
                "is_live": settings.STRIPE_LIVE_MODE,
            },
        )


def document_line(document: BillingDocument, now: datetime) -> dict[str, Any]:
    """Return what a line of the list shows at a moment."""
    is_note = document.kind == BillingDocument.Kind.CREDIT_NOTE
    sign = -1 if is_note else 1
    is_open = document.status == BillingDocument.Status.OPEN
    return {
        "id": document.public_id,
        "kind": document.get_kind_display(),
        "number": document.number,
        "status": document.status,
        "amount": format_money(sign * document.amount, document.currency),
        "net": format_money(sign * (document.amount - document.tax), document.currency),
        "tax": format_money(sign * document.tax, document.currency) if document.tax else "",
        "due": format_money(document.amount_due, document.currency) if document.amount_due else "",
        "is_overdue": bool(is_open and document.due_at and document.due_at < now),
        "pay_url": document.hosted_url if is_open else "",
        "issued_at": document.issued_at,
        "due_at": document.due_at,
        "paid_at": document.paid_at,
        "period_start": document.period_start,
        # The last day in it: the end itself is out.
        "period_end": document.period_end - timedelta(seconds=1) if document.period_end else None,
        "hosted_url": document.hosted_url,
        "pdf_url": document.pdf_url,
        "payment_id": document.payment.public_id if document.payment else "",
    }


def attempt_facts(document: BillingDocument, receipt: BillingDocument | None) -> dict[str, Any]:
    """Return what the list shows of paying a document: the last try, and the receipt."""
    last = last_attempt_of(document)
    is_invoice = document.kind == BillingDocument.Kind.INVOICE
    return {
        "may_be_charged": is_invoice and document.status == BillingDocument.Status.OPEN,
        "key": new_key(),
        "last_attempt": last if last and last.status != InvoiceAttempt.Status.PAID else None,
        "receipt_id": receipt.public_id if receipt and is_invoice else "",
    }
