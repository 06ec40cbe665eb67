"""Billing documents of an organization, as page, API and files show them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet, Sum

from apps.billing.models import BillingDocument, InvoiceAttempt
from apps.billing.selectors.document_search import about
from apps.core import paging
from apps.core.clock import database_now
from apps.core.errors import NotFound
from apps.tenants.models import Organization

CHUNK = 2000
DOCUMENT_COLUMNS = [
    "id",
    "issued_at",
    "type",
    "number",
    "status",
    "amount",
    "tax",
    "currency",
    "amount_due",
    "due_at",
    "paid_at",
    "period_start",
    "period_end",
    "payment",
    "stripe_id",
    "hosted_url",
    "pdf_url",
    "last_attempt",
    "last_attempt_at",
    "last_attempt_failure",
]


@dataclass(frozen=True, kw_only=True)
class DocumentFilters:
    """Which documents are asked for; what is None or empty is not asked for."""

    kinds: Collection[str] = ()
    statuses: Collection[str] = ()
    is_overdue: bool = False  # only what is open, and was due before now
    text: str = ""  # a number, an amount, an id, or words of what was bought
    issued_from: datetime | None = None
    issued_before: datetime | None = None  # exclusive


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Sums of an organization's invoices in one currency, in minor units."""

    currency: str
    invoiced: int
    due: int
    overdue: int


def documents_of(organization: Organization) -> QuerySet[BillingDocument]:
    """Return the organization's documents with what their lines show."""
    newest_first = Prefetch("attempts", InvoiceAttempt.objects.order_by("-id"))
    rows = BillingDocument.objects.filter(organization=organization)
    return rows.select_related("payment").prefetch_related(newest_first)


def last_attempt_of(document: BillingDocument) -> InvoiceAttempt | None:
    """Return the newest attempt to pay a document of `documents_of` with the saved card."""
    return next(iter(document.attempts.all()), None)


def document_of(organization: Organization, document_id: UUID | None) -> BillingDocument:
    """
    Return the organization's document.

    :raises NotFound: if it has none with this id.
    """
    rows = documents_of(organization).filter(pk=document_id) if document_id else None
    found = rows.first() if rows is not None else None
    if found is None:
        raise NotFound
    return found


def matching_documents(
    rows: QuerySet[BillingDocument], filters: DocumentFilters
) -> QuerySet[BillingDocument]:
    """Return those that fit all filters."""
    if filters.kinds:
        rows = rows.filter(kind__in=filters.kinds)
    if filters.statuses:
        rows = rows.filter(status__in=filters.statuses)
    if filters.is_overdue:
        rows = rows.filter(is_overdue())
    if filters.text:
        rows = rows.filter(about(filters.text))
    if filters.issued_from is not None:
        rows = rows.filter(issued_at__gte=filters.issued_from)
    if filters.issued_before is not None:
        rows = rows.filter(issued_at__lt=filters.issued_before)
    return rows


def is_overdue() -> Q:
    """Return the condition that a document is open, and was to be paid before now."""
    return Q(status=BillingDocument.Status.OPEN, due_at__lt=database_now())


def receipts_of(
    documents: Collection[BillingDocument],
) -> dict[UUID | None, BillingDocument]:
    """Return the receipts of what paid these documents, by payment."""
    paid = {one.payment_id for one in documents if one.payment_id}
    rows = BillingDocument.objects.filter(kind=BillingDocument.Kind.RECEIPT, payment__in=paid)
    return {one.payment_id: one for one in rows}


def sums_of(organization: Organization) -> list[Sums]:
    """Return what was invoiced, and what of it is due and overdue, for each currency."""
    invoices = BillingDocument.objects.filter(
        organization=organization, kind=BillingDocument.Kind.INVOICE
    )
    is_valid = ~Q(status=BillingDocument.Status.VOID)
    rows = (
        invoices.order_by()
        .values("currency")
        .annotate(
            invoiced=Sum("amount", filter=is_valid, default=0),
            due=Sum("amount_due", default=0),
            overdue=Sum("amount_due", filter=is_overdue(), default=0),
        )
    )
    return [Sums(**row) for row in rows.order_by("currency")]


def document_rows(rows: QuerySet[BillingDocument]) -> Iterator[tuple[object, ...]]:
    """Yield a row of a file for each document, the latest first, as DOCUMENT_COLUMNS says."""
    ordered = rows.order_by("-issued_at", "-id")
    chunk = list(ordered[:CHUNK])
    while chunk:
        for document in chunk:
            yield _row(document)
        if len(chunk) < CHUNK:
            return
        chunk = list(paging.after(ordered, chunk[-1], by="issued_at")[:CHUNK])


def _row(document: BillingDocument) -> tuple[object, ...]:
    last = last_attempt_of(document)
    return (
        document.public_id,
        document.issued_at.isoformat(),
        document.kind,
        document.number,
        document.status,
        document.amount,
        document.tax,
        document.currency,
        document.amount_due,
        *(
            moment.isoformat() if moment else ""
            for moment in (
                document.due_at,
                document.paid_at,
                document.period_start,
                document.period_end,
            )
        ),
        document.payment.public_id if document.payment else "",
        document.stripe_id,
        document.hosted_url,
        document.pdf_url,
        *(
            (last.status, last.created_at.isoformat(), last.failure_message)
            if last
            else ("", "", "")
        ),
    )
