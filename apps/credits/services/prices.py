"""Keep the price list, and charge by it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core.clock import database_now
from apps.credits import selectors
from apps.credits.errors import ReferenceReused, UnknownCreditEvent
from apps.credits.ledger.book import Outcome
from apps.credits.models import CreditEvent, Wallet
from apps.tenants.services.audit import record


@transaction.atomic
def set_price(
    *,
    name: str,
    credit_cost: int,
    category: str,
    unit: str = "unit",
    description: str = "",
    metadata: dict[str, Any] | None = None,
    is_active: bool = True,
    effective_at: datetime | None = None,
) -> CreditEvent:
    """
    Add a version of an event's price, in credits per unit, from now or from `effective_at` on.

    What was charged before keeps the version that it was charged with.
    """
    price = CreditEvent.objects.create(
        name=name,
        credit_cost=credit_cost,
        category=category,
        unit=unit,
        description=description,
        metadata=metadata or {},
        is_active=is_active,
        effective_at=effective_at or database_now(),
    )
    record(
        action="credit_event.priced",
        object_id=price.public_id,
        after={"name": name, "credit_cost": credit_cost, "is_active": is_active},
    )
    return price


def at_its_price(
    wallet: Wallet, *, event: str, reference: str, post: Callable[[CreditEvent], Outcome]
) -> Outcome:
    """
    Post what an event costs now; a repeat is answered at the price of the first time.

    :raises UnknownCreditEvent: if the price list has no such active event.
    :raises DomainError: what the posting refuses.
    """
    try:
        return post(selectors.price_of(event))
    except (UnknownCreditEvent, ReferenceReused):
        price = selectors.price_charged(wallet, reference=reference, name=event)
        if price is None:
            raise
        return post(price)
