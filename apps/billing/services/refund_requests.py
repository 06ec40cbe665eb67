"""
Refunds that staff ask for: previewed, written down, asked of Stripe, and asked again.

Our row is committed before Stripe is asked, and its id is the key: whoever asks again, after
a lost answer or beside another, gets the same refund.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.billing.errors import (
    PaymentDisputed,
    PaymentNotRefundable,
    PaymentRefunded,
    RefundDiffers,
    RefundTooLarge,
    StripeRefused,
)
from apps.billing.gateway import receipts
from apps.billing.gateway import refunds as gateway
from apps.billing.models import Payment, Refund
from apps.billing.selectors.refunds import owes_used
from apps.billing.services import sweeping
from apps.billing.services.refunds import follow, note_failure, record_change
from apps.billing.services.reversals import lock_payment, lot_of, worth
from apps.billing.services.sweeping import PATIENCE
from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.credits.services import DRY_RUN
from apps.credits.services.clawbacks import claw_back, used_of
from apps.tenants.models import User


@dataclass(frozen=True)
class Preview:
    """What a refund would do: money in minor units of the payment's currency."""

    amount: int
    left: int  # money that can be refunded, this one included
    credits_back: int  # unused, and taken back
    credits_owed: int  # used already, and owed from then on
    credits_used: int  # used already or gone, and so not taken back, for earlier refunds as well


@outside_transaction
def preview_refund(*, payment: Payment, amount: int | None = None) -> Preview:
    """
    Say what a refund would do now; all that is left, if no amount is given.

    :raises PaymentNotRefundable: if the payment did not succeed.
    :raises PaymentRefunded: if nothing is left of it.
    :raises RefundTooLarge: if less is left of it.
    :raises PaymentDisputed: if the bank has the money.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    left_there = _left_at_stripe(payment)
    with transaction.atomic():
        payment = lock_payment(payment.pk)
        left = min(left_there, _left_here(payment))
        chosen = _checked(payment, amount, left)
        gone = worth(payment, _gone(payment) + chosen) - payment.clawed_back
        taken = owed = 0
        if gone > 0 and (lot := lot_of(payment)):
            shown = claw_back(
                lot=lot, amount=gone, reference="preview", source="refund", mode=DRY_RUN
            )
            taken = -shown.amount
            if owes_used(payment):
                owed = min(gone - taken, used_of(lot) - payment.clawed_back_as_debt)
    return Preview(chosen, left, taken, owed, max(0, gone) - taken - owed)


@outside_transaction
def request_refund(
    *,
    payment: Payment,
    refund_id: UUID,
    amount: int | None,
    reason: Refund.Reason,
    note: str,
    user: User,
) -> Refund:
    """
    Give money back, all that is left if no amount is given, once for each `refund_id`.

    The unused part of the credits follows. Stripe is asked for the charge first, so that what
    was refunded or disputed there is known.

    :raises RefundDiffers: if the same id was sent before with other values.
    :raises PaymentNotRefundable: if the payment did not succeed.
    :raises PaymentRefunded: if nothing is left of it.
    :raises RefundTooLarge: if less is left of it.
    :raises PaymentDisputed: if the bank has the money.
    :raises StripeRefused: if Stripe refuses it; the refund has failed then.
    :raises StripeUnavailable: if its answer got lost; it is asked again by itself.
    """
    earlier = Refund.objects.filter(pk=refund_id).first()
    if earlier is None:
        asked = Refund(
            pk=refund_id,
            organization_id=payment.organization_id,
            payment=payment,
            reason=reason,
            note=note,
            requested_by=user,
        )
        earlier, is_new = _write_down(asked, amount, _left_at_stripe(payment))
        if is_new:
            return send(earlier)
    same = (earlier.payment_id, earlier.reason, earlier.note)
    if same != (payment.pk, reason, note) or amount not in (None, earlier.amount):
        raise RefundDiffers
    return _resume(earlier) if earlier.status == Refund.Status.REQUESTED else earlier


@outside_transaction
def send(refund: Refund) -> Refund:
    """
    Ask Stripe for a refund that is written down, and write its answer down.

    :raises StripeRefused: if Stripe refuses it; the refund has failed then.
    :raises StripeUnavailable: if its answer got lost; it is asked again by itself.
    """
    payment = refund.payment
    assert payment.stripe_payment_intent_id, "it was checked when it was written down"
    reason = refund.reason if refund.reason in Refund.OF_STRIPE else ""
    try:
        told = gateway.create_refund(
            key=refund.public_id,
            payment_intent=payment.stripe_payment_intent_id,
            amount=refund.amount,
            reason=reason,
            organization=payment.organization.public_id,
        )
    except StripeRefused as refusal:
        _note_refusal(refund, str(refusal))
        raise
    with transaction.atomic():
        return follow(payment=lock_payment(payment.pk), told=told)


def resume_refunds(*, limit: int = 50) -> int:
    """Ask again for refunds whose answer got lost; return how many were tried."""
    since = database_now() - PATIENCE
    waiting = Refund.objects.filter(status=Refund.Status.REQUESTED, created_at__lt=since)
    found = waiting.select_related("payment__organization").order_by("created_at")[:limit]
    return sweeping.each(found, _resume)


def _resume(refund: Refund) -> Refund:
    """
    Ask again for a refund whose answer got lost.

    Stripe forgets keys after a day, so that it is asked first whether the refund is there.

    :raises StripeRefused: if Stripe refuses it; the refund has failed then.
    :raises StripeUnavailable: if the answer got lost again.
    """
    intent = refund.payment.stripe_payment_intent_id or ""
    for told in gateway.list_refunds(payment_intent=intent):
        if (told.get("metadata") or {}).get("coffer_refund") == refund.public_id:
            with transaction.atomic():
                return follow(payment=lock_payment(refund.payment_id), told=told)
    return send(refund)


@transaction.atomic
def _write_down(asked: Refund, amount: int | None, left: int) -> tuple[Refund, bool]:
    """Write a refund down under the payment's lock; return it, and whether it is new."""
    payment = lock_payment(asked.payment_id)
    if (earlier := Refund.objects.filter(pk=asked.pk).first()) is not None:
        return earlier, False
    asked.amount = _checked(payment, amount, min(left, _left_here(payment)))
    asked.save(force_insert=True)
    record_change("refund.requested", asked, reason=asked.note)
    return asked, True


def _left_at_stripe(payment: Payment) -> int:
    """
    Return what Stripe says can still be refunded.

    :raises PaymentNotRefundable: if nothing was paid.
    :raises PaymentDisputed: if the bank has the money.
    """
    if payment.status != Payment.Status.SUCCEEDED or not payment.stripe_payment_intent_id:
        raise PaymentNotRefundable(payment_status=payment.get_status_display().lower())
    charge = receipts.charge_of(payment.stripe_payment_intent_id)
    if charge is None:
        raise PaymentNotRefundable(payment_status="not charged")
    if charge["disputed"]:
        raise PaymentDisputed
    left: int = charge["amount_captured"] - charge["amount_refunded"]
    return left


def _left_here(payment: Payment) -> int:
    """Return what is not refunded, or asked to be, as far as is written down."""
    rows = payment.refunds.exclude(status=Refund.Status.FAILED)
    return payment.amount + payment.tax - _sum(rows)


def _gone(payment: Payment) -> int:
    lost = payment.disputes.filter(status="lost").values_list("amount", flat=True)
    return _sum(payment.refunds.filter(status__in=Refund.MOVED)) + sum(lost)


def _sum(rows: Iterable[Refund]) -> int:
    return sum(row.amount for row in rows)


def _checked(payment: Payment, amount: int | None, left: int) -> int:
    if left <= 0:
        raise PaymentRefunded
    chosen = left if amount is None else amount
    if not 0 < chosen <= left:
        raise RefundTooLarge(left=left, currency=payment.currency)
    return chosen


@transaction.atomic
def _note_refusal(refund: Refund, why: str) -> None:
    """Write down that Stripe did nothing, unless it is known by now that it did."""
    lock_payment(refund.payment_id)
    waiting = Refund.objects.filter(pk=refund.pk, status=Refund.Status.REQUESTED)
    if waiting.update(status=Refund.Status.FAILED, failure_reason=why[:500]):
        note_failure(refund)
