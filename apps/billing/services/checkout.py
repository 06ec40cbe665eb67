"""
Checkout: Stripe's page for a payment that is written down, and what became of it.

Whoever looks at a payment, the sweep, and Stripe's own news all lead to `follow_session`, in
any order and however often.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.billing.errors import StripeRefused, StripeUnavailable
from apps.billing.gateway import checkout as gateway
from apps.billing.models import Customer, Payment
from apps.billing.selectors.offers import AUTOMATIC_TAX
from apps.billing.selectors.orders import order_of, subject_of
from apps.billing.selectors.payments import payments_for
from apps.billing.services import payments, sweeping
from apps.billing.services.customers import ensure_customer
from apps.billing.services.purchases import HELD_SESSION_LIVES, SESSION_LIVES, lives_of
from apps.billing.services.sweeping import PATIENCE, SWEPT_AT_ONCE
from apps.core import context, scope
from apps.core.clock import workers_now
from apps.core.db import inside_transaction, outside_transaction
from apps.core.queue import enqueue
from apps.tenants.selectors.config import value_of

Json = Mapping[str, Any]

AT_STRIPE = (Payment.Status.OPEN, Payment.Status.ACTION_REQUIRED)
BOUGHT_HERE = (
    Payment.Purpose.PACK,
    Payment.Purpose.CUSTOM,
    Payment.Purpose.PASS,
    Payment.Purpose.CAPACITY,
)
SHORTEST_SESSION = timedelta(minutes=31)  # Stripe's shortest, and a minute for our clocks


@outside_transaction
def open_checkout(payment: Payment) -> Payment:
    """
    Ask Stripe for the page on which a payment is paid, unless it has one or needs none.

    :raises StripeRefused: if Stripe refuses it; the payment has failed then.
    :raises StripeUnavailable: if its answer got lost; the payment is asked for again by itself.
    """
    if payment.status not in Payment.TO_ASK:
        return payment
    try:
        question = _question_of(payment)
        if question is None:
            return Payment.objects.get(pk=payment.pk)
        session = gateway.create_session(key=payment.public_id, question=question)
    except StripeUnavailable as error:
        raise StripeUnavailable(payment=payment.public_id) from error
    except StripeRefused as error:
        _end(payment, Payment.Status.FAILED, error)
        raise
    return _follow(payment, session)


def _question_of(payment: Payment) -> dict[str, Any] | None:
    """
    Return what is asked for, written down before it is; None if that is over by now.

    The answer counts as lost until it is written down.
    """
    customer = ensure_customer(organization=payment.organization)
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment.pk)
        if payment.status not in Payment.TO_ASK:
            return None
        if payment.question is None:
            payment.question = _question(payment, customer)
            payment.asked_at = workers_now()
        payment.status = Payment.Status.UNKNOWN
        payment.save(update_fields=["question", "asked_at", "status"])
        # As it is read back, from the first time on: JSONB keeps words, and no order of them.
        payment.refresh_from_db(fields=["question"])
        question: dict[str, Any] = payment.question
        return question


def _question(payment: Payment, customer: Customer) -> dict[str, Any]:
    address = f"{settings.BASE_URL}{_page_of(payment)}"
    told = {"coffer_payment": payment.public_id}
    if order := order_of(payment):
        told[f"coffer_{order.noun}"] = subject_of(payment) or ""
    question: dict[str, Any] = {
        "mode": "payment",
        "customer": customer.stripe_id,
        "client_reference_id": payment.public_id,
        "line_items": [_line(payment)],
        "metadata": told,
        "payment_intent_data": {"metadata": told, "description": _name(payment)},
        "success_url": address,
        "cancel_url": address,
        "expires_at": int((payment.created_at + lives_of(payment)).timestamp()),
    }
    if value_of(AUTOMATIC_TAX):
        question["automatic_tax"] = {"enabled": True}
        question["customer_update"] = {"address": "auto", "name": "auto"}
        question["tax_id_collection"] = {"enabled": True}
    return question


def _page_of(payment: Payment) -> str:
    """Return the path of the page to which Stripe's leads back."""
    if order := order_of(payment):
        return order.page(payment)
    return reverse("billing:payment", args=[payment.organization.slug, payment.public_id])


def _line(payment: Payment) -> dict[str, Any]:
    version = payment.product_version or payment.plan_version
    if version is not None and version.stripe_price_id:
        return {"quantity": 1, "price": version.stripe_price_id}
    return {
        "quantity": 1,
        "price_data": {
            "currency": payment.currency,
            "unit_amount": payment.amount,
            "product_data": {"name": _name(payment)},
        },
    }


def _name(payment: Payment) -> str:
    if payment.description:
        return payment.description
    credits = f"{payment.credits:,} credits"
    if payment.product_version is not None:
        return f"{payment.product_version.product.name}: {credits}"
    return payment.plan_version.plan.name if payment.plan_version else credits


@inside_transaction
def follow_session(*, payment: Payment, session: Json) -> Payment:
    """
    Bring a payment to where Stripe says that its session is now.

    The session comes with its payment intent, if it has one by now (gateway.with_intent).

    :raises PaymentDiffers: if another amount or currency was paid than was written down.
    """
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    if payment.status == Payment.Status.SUCCEEDED:
        return payment
    payment.stripe_session_id = session["id"]
    # Stripe computes it while the customer types his address; it is part of what he pays.
    payment.tax = (session.get("total_details") or {}).get("amount_tax") or 0
    payment.save(update_fields=["stripe_session_id", "tax"])
    intent = session.get("payment_intent")
    if isinstance(intent, Mapping):
        payment = payments.follow(payment=payment, intent=intent)
    if payment.status in Payment.IN_FLIGHT:
        payment.status = _status_of(payment, session, intent)
        payment.pay_url = session.get("url") or ""
        payment.save(update_fields=["status", "pay_url"])
    return payment


def _status_of(payment: Payment, session: Json, intent: Json | str | None) -> Payment.Status:
    """Say where a session leaves a payment for which no money has come."""
    if session["status"] == "expired":
        return Payment.Status.CANCELLED
    if session["status"] == "open":
        is_waiting = payment.status == Payment.Status.ACTION_REQUIRED
        return Payment.Status.ACTION_REQUIRED if is_waiting else Payment.Status.OPEN
    refused = isinstance(intent, Mapping) and intent["status"] == "requires_payment_method"
    # A bank debit that was sent back: the page is gone, so no other card can be tried there.
    return Payment.Status.FAILED if refused else Payment.Status.PROCESSING


def _follow(payment: Payment, session: Json) -> Payment:
    with (
        scope.within(payment.organization_id),
        context.acting(actor="system:stripe"),
        transaction.atomic(),
    ):
        # The order of locks is customer, payment, wallet.
        Customer.objects.select_for_update().filter(organization=payment.organization_id).first()
        return follow_session(payment=payment, session=session)


@transaction.atomic
def _end(payment: Payment, status: Payment.Status, error: StripeRefused | None = None) -> Payment:
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    if payment.status in Payment.IN_FLIGHT:
        payment.status = status
        payment.pay_url = ""
        if error is not None:
            payment.failure_code = error.details.get("stripe_code") or "refused"
            payment.failure_message = str(error)
        payment.save()
    return payment


@outside_transaction
def look(payment: Payment) -> Payment:
    """
    Ask Stripe how a payment stands, and write it down; what it says in time is never missed.

    :raises StripeRefused: if Stripe refuses it.
    :raises StripeUnavailable: if Stripe does not answer.
    :raises PaymentDiffers: if another amount or currency was paid than was written down.
    """
    if payment.status in Payment.TO_ASK and payment.purpose in BOUGHT_HERE:
        return open_checkout(payment)
    if payment.status not in Payment.IN_FLIGHT or not payment.stripe_session_id:
        return payment
    return _follow(payment, gateway.retrieve_session(payment.stripe_session_id))


def sweep() -> int:
    """
    Resume what was begun and not asked, or not answered, and end what nobody has paid in time.

    Returns how many payments were taken up. Stops where Stripe does not answer.
    """
    now = workers_now()
    waiting = Payment.objects.filter(purpose__in=BOUGHT_HERE)
    begun = waiting.filter(status__in=Payment.TO_ASK, created_at__lte=now - PATIENCE)
    at_stripe = waiting.filter(status__in=AT_STRIPE)
    old = at_stripe.filter(created_at__lte=now - SESSION_LIVES - PATIENCE)
    held = at_stripe.filter(
        subject_id__isnull=False, created_at__lte=now - HELD_SESSION_LIVES - PATIENCE
    )
    sold = ("product_version__product", "plan_version__plan")
    found = (begun | old | held).select_related("organization", *sold)
    return sweeping.each(found.order_by("created_at")[:SWEPT_AT_ONCE], _take_up)


def _take_up(payment: Payment) -> Payment:
    over_at = payment.created_at + lives_of(payment)
    if payment.status not in Payment.TO_ASK:
        return _expire(payment)
    if workers_now() < over_at - SHORTEST_SESSION:
        return open_checkout(payment)
    if payment.question is not None and workers_now() < over_at:
        return payment  # its page may be there; nobody was shown it, and soon nobody can pay it
    return _end(payment, Payment.Status.CANCELLED)


@inside_transaction
def call_off(*, subject_id: UUID) -> None:
    """
    Let a worker end the page for what an app above sells no more, once this commits.

    Where nobody rings, or Stripe does not answer, the page ends with its time, and what is paid
    on it until then comes too late for that app.
    """
    for payment in payments_for(subject_id).filter(status__in=(*Payment.TO_ASK, *AT_STRIPE)):
        enqueue("billing.end_checkout", payment_id=str(payment.pk))


def end_checkout(payment_id: UUID) -> None:
    """End Stripe's page for a payment that was called off; what was paid stays so. Repeatable."""
    found = Payment.objects.filter(pk=payment_id).select_related("organization")
    sweeping.each(found, _end_page)


def _end_page(payment: Payment) -> None:
    # Where the answer got lost, or is on its way to somebody, the same question tells the page.
    payment = open_checkout(payment)
    if payment.status in AT_STRIPE:
        _expire(payment)


def _expire(payment: Payment) -> Payment:
    """End a session that nobody is to pay any more, unless it was paid meanwhile."""
    assert payment.stripe_session_id
    session = gateway.retrieve_session(payment.stripe_session_id)
    if session["status"] == "open":
        gateway.expire_session(payment.stripe_session_id)
        session = gateway.retrieve_session(payment.stripe_session_id)
    return _follow(payment, session)
