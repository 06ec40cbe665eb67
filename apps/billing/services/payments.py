"""
Payments: the one door through which bought credits come into the ledger.

Stripe's answer and Stripe's webhook, in any order and however often, lead here. A payment
that succeeded stays so; what is given back later has rows of its own.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog

from apps.billing.errors import PaymentDiffers
from apps.billing.models import Payment, PlanTime
from apps.billing.services.history import note_receipt
from apps.billing.services.subscriptions import plan_times
from apps.billing.signals import payment_moved, payment_settled
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.credits.errors import WalletClosed
from apps.credits.models import Lot, Wallet
from apps.credits.services.grants import Terms, grant_credits
from apps.tenants.services.audit import record

logger = structlog.get_logger(__name__)
Json = Mapping[str, Any]
PRECISION = Decimal("0.000001")  # the precision of a lot's unit cost, in minor units

# What an intent's state means while nothing was paid.
_WAITING = {
    "processing": Payment.Status.PROCESSING,
    "requires_action": Payment.Status.ACTION_REQUIRED,
    "canceled": Payment.Status.CANCELLED,
}


@inside_transaction
def follow(*, payment: Payment, intent: Json) -> Payment:
    """
    Bring a payment to where Stripe says that its payment intent is now.

    What is final stays: a payment that succeeded never fails afterwards, and one that failed
    or was cancelled succeeds only if the money came after all.

    :raises PaymentDiffers: if another amount or currency was paid than was written down.
    """
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    if payment.status == Payment.Status.SUCCEEDED:
        return payment
    before = payment.status
    payment.stripe_payment_intent_id = intent["id"]
    if intent["status"] == "succeeded":
        return settle(payment, intent)
    if payment.status in Payment.IN_FLIGHT:
        payment.status = _WAITING.get(intent["status"], _status_after_refusal(payment, intent))
        _note_failure(payment, intent)
    if payment.status not in Payment.IN_FLIGHT:
        payment.pay_url = ""  # there is nothing to pay there any more
    payment.save()
    if payment.status != before:
        payment_moved.send(sender=Payment, payment=payment)
    return payment


def settle(payment: Payment, intent: Json) -> Payment:
    """
    Grant what was bought with a locked payment, now that Stripe says that it is paid.

    Into a closed wallet nothing is granted. The money is here all the same: the payment has
    succeeded, so that it can be refunded, and reconciliation tells of it.

    :raises PaymentDiffers: if another amount or currency was paid than was written down.
    """
    paid = {"amount": intent["amount_received"], "currency": intent["currency"]}
    expected = {"amount": payment.amount + payment.tax, "currency": payment.currency}
    if paid != expected:
        raise PaymentDiffers(payment=payment.public_id, paid=paid, expected=expected)
    payment.status = Payment.Status.SUCCEEDED
    payment.settled_at = database_now()
    payment.failure_code = payment.failure_message = payment.pay_url = ""
    payment.save()
    if payment.purpose == Payment.Purpose.PASS:
        plan_times.begin_bought(payment)
    granted = _grant_if_open(payment) if payment.credits else 0
    charge = intent.get("latest_charge")
    note_receipt(payment, charge if isinstance(charge, Mapping) else None)
    record(
        action="payment.settled",
        organization=payment.organization,
        object_id=payment.public_id,
        after={"amount": payment.amount, "currency": payment.currency, "credits": granted},
    )
    payment_settled.send(sender=Payment, payment=payment)
    return payment


@inside_transaction
def grant_again(*, payment: Payment) -> None:
    """
    Grant what a settled payment bought, if that is missing; the ledger takes a cause once.

    :raises WalletClosed: if the organization is closed: refund it, or reopen that first.
    """
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    assert payment.status == Payment.Status.SUCCEEDED, "nothing is granted for what is not paid"
    if payment.credits:
        _grant(payment)


def _grant_if_open(payment: Payment) -> int:
    """Grant what was bought, and return how many credits that is: none in a closed wallet."""
    try:
        _grant(payment)
    except WalletClosed:
        logger.error("paid_into_closed_wallet", payment=payment.public_id)
        return 0
    return payment.credits


def _grant(payment: Payment) -> None:
    """Put what was bought into the main wallet, once for each payment intent."""
    assert payment.stripe_payment_intent_id
    terms: Terms = {
        "source_id": payment.public_id,
        "unit_cost": (Decimal(payment.amount) / payment.credits).quantize(PRECISION),
        "currency": payment.currency,
        "stripe_payment_intent_id": payment.stripe_payment_intent_id,
    }
    if payment.purpose == Payment.Purpose.PASS:
        terms["expires_at"] = PlanTime.objects.get(payment=payment).credits_end_at
    elif payment.valid_days is not None:
        terms["lives"] = timedelta(days=payment.valid_days)
    grant_credits(
        wallet=Wallet.objects.get(organization=payment.organization, kind=Wallet.Kind.ORGANIZATION),
        amount=payment.credits,
        kind=Lot.Kind.PURCHASE,
        reference=payment.reference,
        source=payment.purpose,
        **terms,
    )


def _status_after_refusal(payment: Payment, intent: Json) -> Payment.Status:
    """Say where an intent that wants another card leaves its payment."""
    if payment.stripe_session_id:
        return Payment.Status.OPEN  # Stripe's page asks for another card by itself
    refused = intent.get("last_payment_error") is not None
    return Payment.Status.FAILED if refused else Payment.Status(payment.status)


def _note_failure(payment: Payment, intent: Json) -> None:
    error = intent.get("last_payment_error") or {}
    payment.failure_code = error.get("decline_code") or error.get("code") or ""
    payment.failure_message = error.get("message") or ""
