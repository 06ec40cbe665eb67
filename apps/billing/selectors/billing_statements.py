"""What an organization was billed, credited and has paid in a month, as one document."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from apps.billing.errors import StatementTooLarge
from apps.billing.models import BillingDocument
from apps.billing.selectors.details import details_of, printed
from apps.billing.selectors.history import documents_of
from apps.core.clock import database_now
from apps.core.money import format_money
from apps.core.periods import Period, next_month
from apps.tenants.models import Organization

LARGEST = 500  # documents: a web process is busy for some seconds
MONTHS_OFFERED = 36
Kind = BillingDocument.Kind


def months_of(organization: Organization) -> list[date]:
    """Return the first days of the months (UTC) since the first document, the latest first."""
    rows = BillingDocument.objects.filter(organization=organization).order_by("issued_at")
    first_at: datetime | None = rows.values_list("issued_at", flat=True).first()
    now = database_now()
    month = Period.of_month((first_at or now).date()).first_day
    months = []
    while month <= now.date():
        months.append(month)
        month = next_month(month)
    return months[::-1][:MONTHS_OFFERED]


def statement_facts(organization: Organization, month: date) -> dict[str, Any]:
    """
    Return what the statement of a month (UTC) shows: documents, the oldest first, and sums.

    :raises StatementTooLarge: if there are too many for a PDF.
    """
    period = Period.of_month(month)
    rows = documents_of(organization).filter(
        issued_at__gte=period.starts_at, issued_at__lt=period.ends_at
    )
    documents = list(rows.order_by("issued_at", "id")[: LARGEST + 1])
    if len(documents) > LARGEST:
        raise StatementTooLarge(documents=rows.count(), largest=LARGEST)
    return {
        "organization": organization,
        "billed_to": printed(details_of(organization)) or organization.name,
        "period": period,
        "documents": [_line(one) for one in documents],
        "sums": _sums(documents),
        "made_at": database_now(),
    }


def statement_name(organization: Organization, month: date) -> str:
    """Return the name of the file."""
    return f"{organization.slug}-billing-{month:%Y-%m}.pdf"


def _line(document: BillingDocument) -> dict[str, Any]:
    sign = -1 if document.kind == Kind.CREDIT_NOTE else 1
    return {
        "issued_at": document.issued_at,
        "kind": document.get_kind_display(),
        "number": document.number or document.public_id,
        "status": document.get_status_display(),
        "amount": format_money(sign * document.amount, document.currency),
        "due": format_money(document.amount_due, document.currency) if document.amount_due else "",
    }


def _sums(documents: Iterable[BillingDocument]) -> list[dict[str, str]]:
    """Return for each currency what was invoiced, credited and received, and what is still due."""
    sums: dict[str, dict[str, int]] = {}
    for one in documents:
        sum_of = sums.setdefault(
            one.currency, dict.fromkeys(("invoiced", "credited", "received", "due"), 0)
        )
        names = {Kind.INVOICE: "invoiced", Kind.CREDIT_NOTE: "credited", Kind.RECEIPT: "received"}
        if one.status != BillingDocument.Status.VOID:
            sum_of[names[Kind(one.kind)]] += one.amount
        sum_of["due"] += one.amount_due
    return [
        {name: format_money(minor, currency) for name, minor in of.items()}
        for currency, of in sorted(sums.items())
    ]
