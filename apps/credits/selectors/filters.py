"""Which transactions to show: the same filters for API, pages and exports."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum

from apps.credits.models import CreditTransaction

# What counts as usage: an open hold is used until it is given back.
USED = ("consumed", "held")
GIVEN_BACK = ("refunded", "released")
NO_EVENT = "none"  # stands for what was charged by amount, without an event of the price list


@dataclass(frozen=True, kw_only=True)
class TransactionFilters:
    """What is asked for; what is None or empty is not asked for."""

    types: Collection[str] = ()
    event: str | None = None  # name of a credit event; finds what was given back of it as well
    source: str | None = None
    actor: str | None = None  # user:usr_…, key:key_… or system:…; refunds of his charges as well
    lot_id: UUID | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None  # exclusive
    amount_min: int | None = None  # credits, signed
    amount_max: int | None = None
    text: str = ""  # part of the description; or all of source id, reference or request id


def matching(
    rows: QuerySet[CreditTransaction], filters: TransactionFilters
) -> QuerySet[CreditTransaction]:
    """Return those of the movements that fit all filters, each movement by itself."""
    rows = _by_cause(_by_time(rows, filters), filters)
    if filters.lot_id is not None:
        rows = rows.filter(lot=filters.lot_id)
    if filters.amount_min is not None:
        rows = rows.filter(amount__gte=filters.amount_min)
    if filters.amount_max is not None:
        rows = rows.filter(amount__lte=filters.amount_max)
    return rows


def matching_operations(
    rows: QuerySet[CreditTransaction], filters: TransactionFilters
) -> QuerySet[CreditTransaction]:
    """Return movements that fit; lots and amounts are those of the whole operation, as on pages."""
    rows = _by_cause(_by_time(rows, filters), filters)
    parts = CreditTransaction.objects.filter(
        wallet=OuterRef("wallet"),
        reference=OuterRef("reference"),
        transaction_type=OuterRef("transaction_type"),
    )
    if filters.lot_id is not None:
        rows = rows.filter(Exists(parts.filter(lot=filters.lot_id)))
    if filters.amount_min is None and filters.amount_max is None:
        return rows
    whole = parts.order_by().values("wallet").annotate(total=Sum("amount")).values("total")
    rows = rows.annotate(operation_amount=Subquery(whole))
    if filters.amount_min is not None:
        rows = rows.filter(operation_amount__gte=filters.amount_min)
    if filters.amount_max is not None:
        rows = rows.filter(operation_amount__lte=filters.amount_max)
    return rows


def _by_time(
    rows: QuerySet[CreditTransaction], filters: TransactionFilters
) -> QuerySet[CreditTransaction]:
    if filters.created_from is not None:
        rows = rows.filter(created_at__gte=filters.created_from)
    if filters.created_before is not None:
        rows = rows.filter(created_at__lt=filters.created_before)
    return rows


def _by_cause(
    rows: QuerySet[CreditTransaction], filters: TransactionFilters
) -> QuerySet[CreditTransaction]:
    if filters.types:
        rows = rows.filter(transaction_type__in=filters.types)
    if filters.source:
        rows = rows.filter(source=filters.source)
    if filters.event:
        rows = rows.filter(_of_event(filters.event))
    if filters.actor:
        rows = rows.filter(caused_by(filters.actor))
    text = filters.text.strip()
    if text:
        exact = Q(source_id=text) | Q(reference=text) | Q(request_id=text)
        rows = rows.filter(exact | Q(description__icontains=text))
    return rows


def caused_by(actor: str) -> Q:
    """Return the condition that the actor caused it, or that it gives back what he caused."""
    # What gives back is written by a worker or by staff, and belongs to whoever had paid.
    given_back = Q(reverses__isnull=False, reverses__actor=actor)
    return given_back | Q(reverses__isnull=True, actor=actor)


def _of_event(name: str) -> Q:
    if name == NO_EVENT:
        return Q(credit_event=None, reverses__credit_event=None)
    return Q(credit_event__name=name) | Q(reverses__credit_event__name=name)
