"""Write billing documents down as Stripe says that they are now; the same one is one row."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from apps.billing.models import BillingDocument, Payment
from apps.billing.selectors.details import details_of, printed, printed_by_stripe
from apps.core.db import inside_transaction
from apps.tenants.models import Organization

Json = Mapping[str, Any]
Kind = BillingDocument.Kind
Status = BillingDocument.Status


@inside_transaction
def note_invoice(organization: Organization, invoice: Json) -> BillingDocument | None:
    """
    Keep an invoice as it is now; None for a draft, which nobody was sent.

    Whoever handles an event about an invoice may call this, in any order and however often.
    """
    if invoice["status"] == "draft":
        return None
    steps = invoice.get("status_transitions") or {}
    start, end = _period_of(invoice)
    return _keep(
        organization,
        Kind.INVOICE,
        invoice["id"],
        {
            "number": invoice.get("number") or "",
            "amount": max(0, invoice["total"]),
            "tax": _tax_of(invoice),
            "currency": invoice["currency"],
            "amount_due": invoice["amount_remaining"] if invoice["status"] == "open" else 0,
            "status": Status(invoice["status"]),
            "issued_at": _moment(steps.get("finalized_at") or invoice["created"]),
            "due_at": _moment_or_none(invoice.get("due_date")),
            "paid_at": _moment_or_none(steps.get("paid_at")),
            "period_start": start,
            "period_end": end,
            "hosted_url": invoice.get("hosted_invoice_url") or "",
            "pdf_url": invoice.get("invoice_pdf") or "",
            "payment": Payment.objects.filter(
                organization=organization, stripe_invoice_id=invoice["id"]
            ).first(),
        },
        billed_to=printed_by_stripe(invoice),
    )


@inside_transaction
def note_credit_note(organization: Organization, note: Json) -> BillingDocument:
    """Keep a credit note as it is now."""
    invoice = note["invoice"]
    invoice_id = invoice["id"] if isinstance(invoice, Mapping) else invoice
    return _keep(
        organization,
        Kind.CREDIT_NOTE,
        note["id"],
        {
            "number": note.get("number") or "",
            "amount": note["total"],
            "tax": _tax_of(note),
            "currency": note["currency"],
            "status": Status(note["status"]),
            "issued_at": _moment(note["created"]),
            "pdf_url": note.get("pdf") or "",
            "payment": Payment.objects.filter(
                organization=organization, stripe_invoice_id=invoice_id
            ).first(),
        },
        billed_to=printed(details_of(organization)),
    )


@inside_transaction
def note_receipt(payment: Payment, charge: Json | None = None) -> BillingDocument | None:
    """
    Keep the receipt of a settled payment, with Stripe's page of it once the charge tells it.

    None where no intent was paid: an invoice that cost nothing has no receipt.
    """
    assert payment.settled_at is not None, "a receipt is for what was paid"
    if not payment.stripe_payment_intent_id:
        return None
    told = charge or {}
    facts: dict[str, Any] = {
        "amount": payment.amount + payment.tax,
        "tax": payment.tax,
        "currency": payment.currency,
        "status": Status.PAID,
        "issued_at": payment.settled_at,
        "paid_at": payment.settled_at,
        "payment": payment,
    }
    for name, value in (("hosted_url", "receipt_url"), ("number", "receipt_number")):
        if told.get(value):  # what one answer told is not lost because another does not
            facts[name] = told[value]
    organization = payment.organization
    return _keep(
        organization,
        Kind.RECEIPT,
        payment.stripe_payment_intent_id,
        facts,
        billed_to=printed(details_of(organization)),
    )


def _keep(
    organization: Organization,
    kind: Kind,
    stripe_id: str,
    facts: dict[str, Any],
    *,
    billed_to: str,
) -> BillingDocument:
    """
    Write a document, or bring its row to these facts; what is final is never open again.

    To whom it is addressed is written once: later news change that on no document.
    """
    document, is_new = BillingDocument.objects.select_for_update(of=("self",)).get_or_create(
        stripe_id=stripe_id,
        organization=organization,
        defaults={"kind": kind, "billed_to": billed_to, **facts},
    )
    is_late = document.status in BillingDocument.FINAL and facts["status"] not in (
        *BillingDocument.FINAL,
        document.status,
    )
    if is_new or is_late:
        return document
    for name, value in facts.items():
        setattr(document, name, value)
    document.save()
    return document


def _period_of(invoice: Json) -> tuple[datetime | None, datetime | None]:
    """Return what an invoice is for: its lines' time; its own is that of the period before."""
    lines = (invoice.get("lines") or {}).get("data") or []
    periods = [line["period"] for line in lines if line.get("period")]
    if not periods:
        return None, None
    start, end = min(one["start"] for one in periods), max(one["end"] for one in periods)
    return (_moment(start), _moment(end)) if start < end else (None, None)


def _tax_of(about: Json) -> int:
    taxes: list[int] = [one["amount"] for one in about.get("total_taxes") or []]
    return max(0, sum(taxes))


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _moment_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)
