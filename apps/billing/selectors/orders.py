"""What apps above billing are paid for: billing knows its id, and they what that is."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from apps.billing.models import Payment


@dataclass(frozen=True)
class Order:
    """How an app above speaks of what payments of one purpose are for."""

    noun: str  # in Stripe's metadata: coffer_reservation
    public_id: Callable[[UUID], str]
    page: Callable[[Payment], str]  # the path to which Stripe's page leads back


_orders: dict[str, Order] = {}


def register(purpose: Payment.Purpose, order: Order) -> None:
    """
    Let billing know what an app above is paid for.

    :raises ValueError: if another app is paid for this purpose.
    """
    if _orders.setdefault(purpose, order) is not order:
        raise ValueError(f"Two apps are paid for {purpose}.")


def order_of(payment: Payment) -> Order | None:
    """Return how the app above speaks of what is paid; None if billing sells it itself."""
    return _orders[payment.purpose] if payment.subject_id else None


def subject_of(payment: Payment) -> str | None:
    """Return the public id of what is paid, if an app above sells it."""
    order = order_of(payment)
    return order.public_id(payment.subject_id) if order and payment.subject_id else None
