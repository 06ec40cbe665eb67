"""The price list."""

from django.db.models import Exists, OuterRef

from apps.core.clock import now_in_query
from apps.credits.errors import UnknownCreditEvent
from apps.credits.models import CreditEvent, CreditTransaction, Wallet


def price_of(name: str) -> CreditEvent:
    """
    Return the version of the price list's event that is valid now.

    :raises UnknownCreditEvent: if there is none, or it is not active.
    """
    begun = CreditEvent.objects.filter(name=name, effective_at__lte=now_in_query())
    latest = begun.order_by("effective_at").last()
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


def price_list() -> list[CreditEvent]:
    """Return the events that can be charged now, each with its present price."""
    versions = (
        CreditEvent.objects.filter(effective_at__lte=now_in_query())
        .order_by("name", "-effective_at")
        .distinct("name")
    )
    return [version for version in versions if version.is_active]
