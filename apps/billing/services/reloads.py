"""
Automatic reload: claimed under a lock, written down, committed, and only then charged.

Whoever is told of a debit rings, and a worker looks. What it wrote down is asked again with
the same key and the same words after a crash or a lost answer: never a second charge.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.billing.errors import (
    AuthenticationNeeded,
    PaymentDeclined,
    StripeRefused,
    StripeUnavailable,
)
from apps.billing.gateway import objects
from apps.billing.gateway import reloads as gateway
from apps.billing.models import AutoReload, Customer, Payment
from apps.billing.selectors.offers import CustomTerms
from apps.billing.selectors.reloads import Facts, Why, size_of, why_not
from apps.billing.services import payments, sweeping
from apps.billing.services.sweeping import PATIENCE, SWEPT_AT_ONCE
from apps.billing.signals import payment_moved
from apps.core import context, scope
from apps.core.clock import database_now, workers_now
from apps.core.db import outside_transaction
from apps.core.queue import enqueue
from apps.credits.models import Wallet
from apps.tenants.selectors import clock_of
from apps.tenants.services.audit import record

logger = structlog.get_logger(__name__)
Json = dict[str, Any]

ACTOR = "system:auto_reload"
KEPT = timedelta(hours=23)  # so long Stripe surely knows a key
STALE = timedelta(hours=1)  # what was not even asked by then is not wanted any more


def ring(wallet_ids: Sequence[UUID]) -> None:
    """Ask a worker to look where credits left one of these wallets and a reload may be due."""
    _ring(_low(wallet_ids))


def _low(wallet_ids: Sequence[UUID] | None = None) -> QuerySet[AutoReload]:
    """Return reloads that may charge, with less than their threshold in (one of) the wallets."""
    wallets = Wallet.objects.across_organizations("they were debited").filter(
        kind=Wallet.Kind.ORGANIZATION,
        organization=OuterRef("organization"),
        balance__lt=OuterRef("threshold"),
    )
    if wallet_ids is not None:
        wallets = wallets.filter(pk__in=wallet_ids)
    return AutoReload.objects.across_organizations("their wallets were debited").filter(
        Exists(wallets), is_enabled=True, state=AutoReload.State.READY
    )


def _ring(reloads: QuerySet[AutoReload]) -> None:
    for organization_id in reloads.values_list("organization_id", flat=True):
        enqueue("billing.reload_if_low", organization_id=str(organization_id))


@outside_transaction
def reload_if_low(organization_id: UUID) -> Payment | None:
    """
    Charge the organization's card if a reload is due. Safe to repeat, and at once.

    Returns the attempt, as far as it is, or None if there was nothing to do.
    """
    with scope.within(organization_id, clock_of(organization_id)), context.acting(actor=ACTOR):
        payment = claim(organization_id)
        return charge(payment) if payment else None


@transaction.atomic
def claim(organization_id: UUID) -> Payment | None:
    """Write an attempt down if one is due; of those that come at once, the first one does."""
    reload = (
        AutoReload.objects.select_for_update(of=("self",))
        .select_related("organization")
        .filter(organization_id=organization_id, is_enabled=True)
        .first()
    )
    if reload is None:
        return None
    facts = Facts(reload.organization)
    why = why_not(reload, facts)
    if why == Why.ENOUGH and not reload.is_armed:
        reload.is_armed = True
        reload.save(update_fields=["is_armed", "changed_at"])
    if why or facts.terms is None or facts.card is None:
        return None
    credits = size_of(reload, facts.available + facts.pending, facts.terms)
    payment = _write_down(reload, facts.card, facts.terms, credits)
    reload.is_armed = False
    reload.last_attempt_at = facts.now
    reload.save(update_fields=["is_armed", "last_attempt_at", "changed_at"])
    return payment


def _write_down(
    reload: AutoReload, customer: Customer, terms: CustomTerms, credits: int
) -> Payment:
    payment = Payment(
        organization=reload.organization,
        purpose=Payment.Purpose.RELOAD,
        credits=credits,
        valid_days=terms.valid_days,
        amount=terms.amount_of(credits),
        currency=terms.currency,
        is_live=settings.STRIPE_LIVE_MODE,
        created_at=database_now(),
    )
    payment.question = {
        "amount": payment.amount,
        "currency": payment.currency,
        "customer": customer.stripe_id,
        "payment_method": customer.payment_method_id,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "off_session": True,
        "confirm": True,
        "description": f"Automatic reload: {credits:,} credits",
        "metadata": {"coffer_payment": payment.public_id},
    }
    payment.save(force_insert=True)
    record(
        action="auto_reload.attempted",
        organization=reload.organization,
        object_id=payment.public_id,
        after={"credits": credits, "amount": payment.amount, "currency": payment.currency},
    )
    return payment


@outside_transaction
def charge(payment: Payment) -> Payment:
    """
    Ask Stripe for an attempt that is written down, and write its answer down.

    An answer that got lost leaves it unknown; the sweep asks again with the same key.
    """
    # It counts as asked from here on, whether or not this process lives to hear the answer.
    rows = Payment.objects.filter(
        pk=payment.pk, purpose=Payment.Purpose.RELOAD, status__in=Payment.TO_ASK
    )
    rows.filter(asked_at=None).update(asked_at=workers_now())
    if not rows.update(status=Payment.Status.UNKNOWN):
        return Payment.objects.get(pk=payment.pk)
    payment.refresh_from_db()
    assert payment.question is not None, "it is written down with the attempt"
    try:
        intent = _ask(payment.public_id, payment.question)
    except StripeUnavailable:
        logger.warning("reload_unknown", payment=payment.public_id)
        return payment
    except (StripeRefused, PaymentDeclined, AuthenticationNeeded) as error:
        return _fail(payment, error)
    return follow(payment, intent)


def _ask(key: str, question: Json) -> Json:
    """Charge, and return the intent, of a charge that was declined as well."""
    try:
        return gateway.charge_saved_card(key=key, question=question)
    except (PaymentDeclined, AuthenticationNeeded) as error:
        if not error.details.get("payment_intent"):
            raise
        return objects.retrieve("payment_intent", error.details["payment_intent"])


def follow(payment: Payment, intent: Json) -> Payment:
    """Bring an attempt to where its intent is now."""
    with (
        scope.within(payment.organization_id),
        context.acting(actor="system:stripe"),
        transaction.atomic(),
    ):
        # The order of locks is customer, payment, wallet, reload.
        Customer.objects.select_for_update().filter(organization=payment.organization_id).first()
        return payments.follow(payment=payment, intent=intent)


@transaction.atomic
def _fail(
    payment: Payment, error: StripeRefused | PaymentDeclined | AuthenticationNeeded
) -> Payment:
    """End an attempt for which Stripe has no intent that could be followed."""
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    if payment.status not in Payment.IN_FLIGHT:
        return payment
    payment.status = Payment.Status.FAILED
    if isinstance(error, PaymentDeclined):
        payment.failure_code = error.details["decline_code"] or "declined"
    elif isinstance(error, AuthenticationNeeded):
        payment.failure_code = "authentication_required"
    else:
        payment.failure_code = "refused"
    payment.failure_message = str(error)
    payment.save()
    payment_moved.send(sender=Payment, payment=payment)
    return payment


def sweep() -> int:
    """
    Resume attempts that were begun and not answered, and look where one may be due.

    Returns how many attempts were taken up. Stops where Stripe does not answer.
    """
    patient = workers_now() - PATIENCE
    # In a sandbox one is created at its moment, by which its months are capped; which one is
    # old enough says there only when it was asked.
    is_old = Q(created_at__lte=patient) | Q(asked_at__lte=patient)
    is_lost = is_old | Q(asked_at=None, organization__clock_at__isnull=False)
    attempts = Payment.objects.filter(purpose=Payment.Purpose.RELOAD)
    waiting = attempts.filter(
        (Q(status__in=Payment.TO_ASK) & is_lost) | Q(status=Payment.Status.ACTION_REQUIRED)
    )
    rows = waiting.select_related("organization").order_by("created_at")
    with context.acting(actor=ACTOR):
        taken = sweeping.each(rows[:SWEPT_AT_ONCE], take_up)
    ring_where_low()
    return taken


def take_up(payment: Payment) -> Payment:
    """
    Bring an attempt further that nobody else does.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    if payment.status == Payment.Status.ACTION_REQUIRED:
        # He pays on a page of his own; so that nobody pays twice, this one is over first.
        assert payment.stripe_payment_intent_id
        with suppress(StripeRefused):  # it is paid or cancelled by now: what it is says Stripe
            gateway.cancel_intent(payment.stripe_payment_intent_id)
        return follow(payment, objects.retrieve("payment_intent", payment.stripe_payment_intent_id))
    if payment.asked_at is None and database_now() > payment.created_at + STALE:
        return _cancel(payment)
    if payment.asked_at is None or workers_now() < payment.asked_at + KEPT:
        return charge(payment)
    assert payment.question is not None
    intent = gateway.find_intent(
        customer=payment.question["customer"],
        payment=payment.public_id,
        since=int((payment.asked_at - STALE).timestamp()),
    )
    return follow(payment, intent) if intent else _cancel(payment)


@transaction.atomic
def _cancel(payment: Payment) -> Payment:
    """End an attempt that Stripe knows nothing of, and never will."""
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    if payment.status in Payment.TO_ASK:
        payment.status = Payment.Status.CANCELLED
        payment.save(update_fields=["status"])
        payment_moved.send(sender=Payment, payment=payment)
    return payment


def ring_where_low() -> None:
    """Ring where a debit's own ring got lost, or a pause is over."""
    _ring(_low().exclude(back_off_until__gt=database_now()))
