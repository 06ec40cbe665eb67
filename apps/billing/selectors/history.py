"""Billing documents of an organization, as page, API and files show them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from apps.billing.models import BillingDocument
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
]


@dataclass(frozen=True, kw_only=True)
class DocumentFilters:
    """Which documents are asked for; what is None or empty is not asked for."""

    kinds: Collection[str] = ()
    statuses: Collection[str] = ()
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
    return BillingDocument.objects.filter(organization=organization).select_related("payment")


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
    if filters.issued_from is not None:
        rows = rows.filter(issued_at__gte=filters.issued_from)
    if filters.issued_before is not None:
        rows = rows.filter(issued_at__lt=filters.issued_before)
    return rows


def sums_of(organization: Organization) -> list[Sums]:
    """Return what was invoiced, and what of it is due and overdue, for each currency."""
    invoices = documents_of(organization).filter(kind=BillingDocument.Kind.INVOICE)
    is_valid = ~Q(status=BillingDocument.Status.VOID)
    is_overdue = Q(status=BillingDocument.Status.OPEN, due_at__lt=database_now())
    rows = (
        invoices.order_by()
        .values("currency")
        .annotate(
            invoiced=Sum("amount", filter=is_valid, default=0),
            due=Sum("amount_due", default=0),
            overdue=Sum("amount_due", filter=is_overdue, default=0),
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
    )
