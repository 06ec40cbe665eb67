"""Payments of an organization, as pages, API and files show them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.billing.models import Payment
from apps.billing.selectors.refunds import with_reversals
from apps.core.errors import NotFound
from apps.credits.selectors import main_wallet, transaction_ids
from apps.tenants.models import Organization

CHUNK = 2000
PAYMENT_COLUMNS = [
    "id",
    "created_at",
    "purpose",
    "pack",
    "credits",
    "amount",
    "tax",
    "currency",
    "status",
    "failure_code",
    "settled_at",
    "refunded",
    "credits_taken_back",
    "stripe_payment_intent",
    "bought_by",
    "description",
]


@dataclass(frozen=True, kw_only=True)
class PaymentFilters:
    """Which payments are asked for; what is None or empty is not asked for."""

    statuses: Collection[str] = ()
    purpose: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None  # exclusive


def payments_of(organization: Organization) -> QuerySet[Payment]:
    """Return the organization's payments with what their lines show."""
    related = ("product_version__product", "plan_version__plan", "user")
    return Payment.objects.filter(organization=organization).select_related(*related)


def payment_of(organization: Organization, payment_id: UUID | None) -> Payment:
    """
    Return the organization's payment, with its refunds and disputes, the newest first.

    :raises NotFound: if it has none with this id.
    """
    rows = with_reversals(payments_of(organization))
    found = rows.filter(pk=payment_id).first() if payment_id else None
    if found is None:
        raise NotFound
    return found


def payment_of_session(organization: Organization, session_id: str) -> Payment:
    """
    Return the organization's payment for which Stripe made a session.

    :raises NotFound: if it has none with this one.
    """
    found = payments_of(organization).filter(stripe_session_id=session_id).first()
    if found is None:
        raise NotFound
    return found


def payments_for(subject_id: UUID) -> QuerySet[Payment]:
    """Return the payments that were begun for one thing that an app above sells."""
    return Payment.objects.filter(subject_id=subject_id)


def matching(rows: QuerySet[Payment], filters: PaymentFilters) -> QuerySet[Payment]:
    """Return those that fit all filters."""
    if filters.statuses:
        rows = rows.filter(status__in=filters.statuses)
    if filters.purpose:
        rows = rows.filter(purpose=filters.purpose)
    if filters.created_from is not None:
        rows = rows.filter(created_at__gte=filters.created_from)
    if filters.created_before is not None:
        rows = rows.filter(created_at__lt=filters.created_before)
    return rows


def entry_of(payment: Payment) -> str | None:
    """Return the public id of the ledger's entry that granted what was paid, if there is one."""
    if not payment.stripe_payment_intent_id:
        return None
    wallet = main_wallet(payment.organization)
    return transaction_ids(wallet, [payment.reference]).get(payment.reference)


def payment_rows(rows: QuerySet[Payment]) -> Iterator[tuple[object, ...]]:
    """Yield a row of a file for each payment, newest first, in the order of PAYMENT_COLUMNS."""
    rows = rows.order_by("-pk")  # ids are in the order of their making
    chunk = list(rows[:CHUNK])
    while chunk:
        for payment in chunk:
            yield _row(payment)
        if len(chunk) < CHUNK:
            return
        chunk = list(rows.filter(pk__lt=chunk[-1].pk)[:CHUNK])


def _row(payment: Payment) -> tuple[object, ...]:
    version = payment.product_version
    return (
        payment.public_id,
        payment.created_at.isoformat(),
        payment.purpose,
        version.product.code if version else "",
        payment.credits,
        payment.amount,
        payment.tax,
        payment.currency,
        payment.status,
        payment.failure_code,
        payment.settled_at.isoformat() if payment.settled_at else "",
        payment.refunded,
        payment.clawed_back,
        payment.stripe_payment_intent_id or "",
        payment.user.email if payment.user else "",
        payment.description,
    )
