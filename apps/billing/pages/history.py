"""Invoices, receipts and credit notes: a list, a file of it, and a PDF of each."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.billing.models import BillingDocument
from apps.billing.pages.base import BillingPage
from apps.billing.pages.forms import DAY_INPUT
from apps.billing.selectors.history import (
    DOCUMENT_COLUMNS,
    DocumentFilters,
    document_of,
    document_rows,
    documents_of,
    matching_documents,
    sums_of,
)
from apps.core import paging
from apps.core.clock import database_now
from apps.core.documents import pdf_response
from apps.core.exports import stream_csv
from apps.core.money import format_money
from apps.credits.selectors.periods import midnight

PAGE_SIZE = 25


class DocumentFilter(forms.Form):
    """Which documents to show."""

    type = forms.ChoiceField(required=False, choices=[("", "All"), *BillingDocument.Kind.choices])
    status = forms.ChoiceField(
        required=False, choices=[("", "All"), *BillingDocument.Status.choices]
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
            statuses=[status] if status else (),
            issued_from=midnight(first) if first else None,
            issued_before=midnight(last + timedelta(days=1)) if last else None,
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
        page = {
            "documents": [document_line(one) for one in shown],
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
                "document": document_line(found),
                "stripe_id": found.stripe_id,
                "credits": found.payment.credits if found.payment else 0,
                "is_live": settings.STRIPE_LIVE_MODE,
            },
        )


def document_line(document: BillingDocument) -> dict[str, Any]:
    """Return what a line of the list shows."""
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
        "is_overdue": bool(is_open and document.due_at and document.due_at < database_now()),
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
