"""Allocate what was paid, once; what is paid too late is allocated while there are blocks."""

from datetime import datetime

from django.db import transaction

from apps.billing.models import Payment
from apps.capacity.errors import PaymentNotForReservation, ReservationEnded, ReservationPaid
from apps.capacity.models import Project, Reservation
from apps.capacity.models.reservations import Mode
from apps.capacity.selectors.blocks import blocks_held_for
from apps.capacity.selectors.picking import Wish
from apps.capacity.selectors.projects import day_of, fee_on, has_ended
from apps.capacity.services import counting
from apps.capacity.services.allocating import allocate
from apps.capacity.services.locking import lock_reservation
from apps.capacity.services.reserving import (
    check_may_take,
    end_reservation,
    ids_of,
    take_stock_and_choose,
)
from apps.capacity.services.waiting import put_first
from apps.core.clock import workers_now
from apps.core.errors import DomainError

Status = Reservation.Status


@transaction.atomic
def settle(*, reservation: Reservation, payment: Payment) -> Reservation:
    """
    Allocate what the payment has paid: once, however often it is called.

    When the hold has ended, as many kW are taken anew, if free blocks add up to them exactly.
    Otherwise, and if the customer had given it back, the reservation is **late**: nothing is
    allocated, and the payment has to be refunded. Who had not given it back is the first then
    of those who wait.

    :raises PaymentNotForReservation: if it has not succeeded, another organization paid, it is
        not the fee of the day of the reservation, or it has paid another reservation.
    :raises ReservationPaid: if another payment has paid it, or staff marked it as paid.
    """
    # The payment first, as billing does, which has it when it tells that it is paid.
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    project, reservation = lock_reservation(reservation)
    if reservation.payment_id == payment.pk:
        return reservation
    _check_unpaid(reservation)
    _check_pays(payment, project, reservation)
    now = workers_now()
    reservation.payment, reservation.paid_at = payment, now
    if _has_blocks(project, reservation, now):
        allocate(project=project, reservation=reservation, now=now)
    else:
        was_given_back = reservation.status == Status.RELEASED
        end_reservation(project, reservation, Status.LATE, now)
        if not was_given_back:
            put_first(project, reservation, now)
    return reservation


@transaction.atomic
def settle_offline(*, reservation: Reservation, reference: str) -> Reservation:
    """
    Allocate what was paid elsewhere, such as by bank transfer; `reference` says where.

    Unlike a payment by Stripe it comes through a person, who is told if it is too late.

    :raises ReservationPaid: if it was paid before, other than with this reference.
    :raises ReservationEnded: if it was given back, or its hold has ended and blocks are gone.
    """
    project, reservation = lock_reservation(reservation)
    if reservation.offline_reference == reference:
        return reservation
    _check_unpaid(reservation)
    now = workers_now()
    if not _has_blocks(project, reservation, now):
        is_held = reservation.status == Status.HELD  # which nobody has ended yet
        status = Status.EXPIRED if is_held else reservation.status
        raise ReservationEnded(reservation_status=status)
    reservation.offline_reference, reservation.paid_at = reference, now
    allocate(project=project, reservation=reservation, now=now)
    return reservation


def _check_pays(payment: Payment, project: Project, reservation: Reservation) -> None:
    """Check that a locked payment is this one's fee, as it is now: staff may have changed it."""
    fee = fee_on(project, reservation.capacity_kw, day_of(reservation.created_at))
    facts = (payment.status, payment.organization_id, payment.amount, payment.currency)
    expected = (Payment.Status.SUCCEEDED, reservation.organization_id, fee, project.currency)
    if facts != expected or Reservation.objects.filter(payment=payment).exists():
        raise PaymentNotForReservation(payment=payment.public_id)


def _check_unpaid(reservation: Reservation) -> None:
    if reservation.paid_at is not None or reservation.status == Status.ALLOCATED:
        raise ReservationPaid(reservation=reservation.public_id)


def _has_blocks(project: Project, reservation: Reservation, now: datetime) -> bool:
    """Tell whether the reservation holds its blocks still, or take as many kW for it anew."""
    if reservation.status == Status.RELEASED:
        return False
    holds = blocks_held_for(reservation).exists()
    if holds and now < reservation.hold_expires_at and not has_ended(project, now):
        return True
    try:
        check_may_take(project, reservation.organization, reservation.capacity_kw, now)
    except DomainError:
        return False
    # Past its hold, too: as long as nobody has taken its blocks, they are there for it.
    return holds or _took_anew(project, reservation, now)


def _took_anew(project: Project, reservation: Reservation, now: datetime) -> bool:
    """Take free blocks that add up to as many kW: the oldest, or those that fit."""
    if project.waiting_count:  # what is free is theirs who wait
        return False
    for mode in (Mode.FIFO, Mode.EXACT):
        try:
            choice = take_stock_and_choose(
                project, Wish(kw=reservation.capacity_kw, mode=mode), now
            )
        except DomainError:
            continue
        counting.hold_blocks(project, reservation, ids_of(choice.pieces))
        return True
    return False
