"""The price list."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from apps.core import clock
from apps.core.clock import now_in_query
from apps.core.db import one_trip
from apps.credits.errors import UnknownCreditEvent
from apps.credits.models import CreditEvent, CreditTransaction, Wallet

# Asked before each charge, so it is a statement that keeps its plan; the rest of the row is
# fetched by whoever wants it.
COLUMNS = ["id", "name", "description", "category", "credit_cost", "unit", "is_active"]
IN_FORCE = f"""
    SELECT {", ".join(COLUMNS)} FROM credits_creditevent
     WHERE name = %s AND effective_at <= coalesce(%s::timestamptz, statement_timestamp())
     ORDER BY effective_at DESC LIMIT 1
"""  # noqa: S608


def price_of(name: str) -> CreditEvent:
    """
    Return the version of the price list's event that is valid now.

    :raises UnknownCreditEvent: if there is none, or it is not active.
    """
    with one_trip() as ask:
        found = ask(IN_FORCE, [name, clock.moved()])
    row = found.fetchone()
    latest = CreditEvent.from_db(connection.alias, COLUMNS, row) if row else None
    if latest is None or not latest.is_active:
        raise UnknownCreditEvent(name=name)
    return latest


def price_charged(wallet: Wallet, *, reference: str, name: str) -> CreditEvent | None:
    """Return the version of the event with which this cause was charged before, if it was."""
    return CreditEvent.objects.filter(
        Exists(
            CreditTransaction.objects.filter(
                wallet=wallet,
                reference=reference,
                transaction_type__in=["consumed", "held"],
                credit_event=OuterRef("pk"),
            )
        ),
        name=name,
    ).first()


def price_list(*, category: str = "") -> list[CreditEvent]:
    """Return the events (of a category) that can be charged now, each at its present price."""
    return [
        version
        for version in _versions_in_force()
        if version.is_active and category in ("", version.category)
    ]


def prices_of(names: Iterable[str]) -> dict[str, CreditEvent]:
    """
    Return the present version of each of these events, by name, with one query.

    :raises UnknownCreditEvent: for the first that has none, or is not active.
    """
    names = list(names)
    versions = _versions_in_force().filter(name__in=names)
    found = {version.name: version for version in versions if version.is_active}
    for name in names:
        if name not in found:
            raise UnknownCreditEvent(name=name)
    return found


def price_versions() -> QuerySet[CreditEvent]:
    """Return what each event costs and has cost, newest first; nothing that is to come."""
    begun = CreditEvent.objects.filter(effective_at__lte=now_in_query())
    return begun.order_by("name", "-effective_at")


def _versions_in_force() -> QuerySet[CreditEvent]:
    return price_versions().distinct("name")
