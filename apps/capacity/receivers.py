"""What capacity tells the apps below when it starts, and answers when they ask."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.dispatch import receiver

from apps.billing.models import Payment
from apps.billing.selectors import orders
from apps.billing.signals import payment_settled
from apps.capacity.errors import CapacityStillHad
from apps.capacity.models import Reservation, WaitlistEntry
from apps.capacity.selectors.holdings import blocks_had_by
from apps.capacity.services import offer_mails, paying
from apps.core import mail, personal
from apps.tenants.models import Organization, User
from apps.tenants.signals import organization_closed, organization_closing


@receiver(organization_closing)
def blocks_still_had(organization: Organization, **kwargs: Any) -> CapacityStillHad | None:
    """Return what stands against closing, if the organization has blocks."""
    blocks = blocks_had_by(organization)
    return CapacityStillHad(blocks=blocks) if blocks else None


@receiver(organization_closed)
def refuse_while_blocks_are_had(organization: Organization, **kwargs: Any) -> None:
    """
    Keep an organization from closing while others would miss the blocks that it has.

    Whoever reserves locks the organization: what is reserved meanwhile is either seen here, or
    finds the organization closed.

    :raises CapacityStillHad: if it has blocks.
    """
    if refusal := blocks_still_had(organization):
        raise refusal


@receiver(payment_settled)
def give_what_was_paid(payment: Payment, **kwargs: Any) -> None:
    """Allocate what a payment was for, or have it given back."""
    if payment.purpose == Payment.Purpose.CAPACITY:
        paying.conclude(payment=payment)


def reservations_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return what he reserved for his organizations."""
    rows = Reservation.objects.filter(user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "project__code", "requested_kw", "capacity_kw"),
        *("status", "created_at"),
    )
    return found


def entries_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return where he put his organizations on a waiting list."""
    rows = WaitlistEntry.objects.filter(user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        "id", "organization__slug", "project__code", "requested_kw", "status", "created_at"
    )
    return found


orders.register(Payment.Purpose.CAPACITY, paying.ORDER)
personal.register("reservations", reservations_of)
personal.register("waiting_list", entries_of)
mail.register(offer_mails.QUEUE)
