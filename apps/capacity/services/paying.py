"""
Paying for a reservation on Stripe's page, and what follows from the payment.

A payment is written down under the locks of project and reservation, before Stripe is asked.
Stripe's page is there for no longer than the hold: where that would end first, it is prolonged
to the end of the page, with the first payment alone, so that nobody holds for ever. Once it is
held no more, a worker ends the page that is open still. Money may come later all the same: a
bank takes its days, and a customer gives his blocks back while somebody pays. What is settled
then gets its blocks, or goes back by itself.
"""

from django.db import transaction
from django.urls import reverse

from apps.billing.models import Payment
from apps.billing.selectors.orders import Order
from apps.billing.selectors.payments import payments_for
from apps.billing.services import checkout
from apps.billing.services.giving_back import give_back
from apps.billing.services.purchases import charge_for, lives_of
from apps.capacity.errors import (
    NothingToPay,
    PaymentNotForReservation,
    ReservationEnded,
    ReservationPaid,
)
from apps.capacity.models import Project, Reservation
from apps.capacity.selectors.projects import day_of, fee_on
from apps.capacity.services import counting
from apps.capacity.services.locking import lock_reservation
from apps.capacity.services.settling import settle
from apps.core import ids
from apps.core.clock import workers_now
from apps.core.db import inside_transaction, outside_transaction
from apps.tenants.models import User
from apps.tenants.services import audit

Status = Reservation.Status
TOO_LATE = "Paid when its blocks were gone, or given back"
NOT_FOR_IT = "The reservation was paid already, or its fee is another one"


def _page_of(payment: Payment) -> str:
    assert payment.subject_id, "a payment of capacity says for which reservation it is"
    reservation_id = ids.encode(Reservation.PREFIX, payment.subject_id)
    return reverse("capacity:paid", args=[payment.organization.slug, reservation_id])


ORDER = Order(
    noun="reservation",
    public_id=lambda subject_id: ids.encode(Reservation.PREFIX, subject_id),
    page=_page_of,
)


@outside_transaction
def pay(*, reservation: Reservation, user: User | None) -> Payment:
    """
    Return the payment of a reservation as Stripe says that it is, with the page to pay it on.

    While one is under way it is the same one, with the same page; once it has failed, or nobody
    paid it in time, another begins.

    :raises ReservationEnded: if it is held no more, or was paid otherwise.
    :raises NothingToPay: if it costs nothing by now.
    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeRefused: if Stripe refuses it; the payment has failed then.
    :raises StripeUnavailable: if its answer got lost; the payment is asked for again by itself.
    """
    return checkout.look(_begin(reservation, user))


@transaction.atomic
def _begin(reservation: Reservation, user: User | None) -> Payment:
    """Return the payment that is under way, or has paid it; write a new one down otherwise."""
    project, reservation = lock_reservation(reservation)
    if reservation.payment is not None:
        return reservation.payment
    now = workers_now()
    if reservation.status != Status.HELD or reservation.hold_expires_at <= now:
        is_held = reservation.status == Status.HELD  # which nobody has ended yet
        raise ReservationEnded(reservation_status=Status.EXPIRED if is_held else reservation.status)
    earlier = payments_for(reservation.pk)
    if under_way := earlier.filter(status__in=Payment.IN_FLIGHT).first():
        return under_way
    is_first = not earlier.exists()
    payment = _write_down(project, reservation, user)
    if is_first:
        _hold_while_the_page_is_there(reservation, payment)
    audit.record(
        action="capacity.pay",
        organization=reservation.organization,
        object_id=reservation.public_id,
        after={
            "payment": payment.public_id,
            "hold_expires_at": reservation.hold_expires_at.isoformat(),
        },
    )
    return payment


def _hold_while_the_page_is_there(reservation: Reservation, payment: Payment) -> None:
    ends_at = payment.created_at + lives_of(payment)  # as Stripe is told
    if reservation.hold_expires_at < ends_at:
        reservation.hold_expires_at = ends_at
        reservation.save(update_fields=["hold_expires_at"])
        counting.prolong_hold(reservation)


def _write_down(project: Project, reservation: Reservation, user: User | None) -> Payment:
    fee = fee_on(project, reservation.capacity_kw, day_of(reservation.created_at))
    if not fee:  # Stripe makes no payment of nothing, so that nobody would ever hear of its end
        raise NothingToPay(reservation=reservation.public_id)
    return charge_for(
        organization=reservation.organization,
        user=user,
        purpose=Payment.Purpose.CAPACITY,
        subject_id=reservation.pk,
        description=f"{reservation.capacity_kw.normalize():f} kW of {project.name}, one month",
        amount=fee,
        currency=project.currency,
    )


@inside_transaction
def conclude(*, payment: Payment) -> None:
    """
    Allocate what a payment that was settled just now is for, or write down that it goes back.

    Billing calls it once, in the transaction that settles the payment, which it has locked.
    """
    assert payment.subject_id, "a payment of capacity says for which reservation it is"
    reservation = Reservation.objects.get(pk=payment.subject_id)
    try:
        reservation = settle(reservation=reservation, payment=payment)
    except (ReservationPaid, PaymentNotForReservation):
        give_back(payment=payment, why=NOT_FOR_IT)
        return
    if reservation.status == Status.LATE:
        give_back(payment=payment, why=TOO_LATE)
