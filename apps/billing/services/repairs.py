"""
Ending a case: an entry that puts right what money came for, or a word that it may stay so.

Who repairs asks Stripe once more and goes through the one door by which payments are settled,
under the case's lock: however many press the button, it is repaired once.
"""

from typing import Any

from django.db import transaction

from apps.billing.errors import CaseClosed, CaseNotRepairable, CaseOvertaken
from apps.billing.gateway import checkout as sessions
from apps.billing.gateway import objects, receipts
from apps.billing.gateway import refunds as refund_gateway
from apps.billing.models import Customer, Payment, ReconciliationCase
from apps.billing.services import invoice_repairs, payments, refunds
from apps.billing.services.checkout import follow_session
from apps.billing.services.reversals import lock_payment
from apps.billing.services.subscriptions.following import Overtaken
from apps.core import scope
from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.tenants.models import User
from apps.tenants.services.audit import record

Case = ReconciliationCase
Json = dict[str, Any]


@outside_transaction
def repair(*, case: Case, user: User, reason: str) -> Case:
    """
    Grant what was paid and not granted, or follow what was not followed; once.

    `reason` goes into the audit log and stands at the case.

    :raises CaseClosed: if the case is open no more.
    :raises CaseNotRepairable: if no entry of ours can repair it, or Stripe says it is not paid.
    :raises CaseOvertaken: if an event wrote newer news down meanwhile; nothing was done.
    :raises PaymentDiffers: if another amount was paid than was written down.
    :raises StripeUnavailable: if Stripe does not answer; nothing was done.
    """
    if case.status != Case.Status.OPEN:
        raise CaseClosed
    if not case.can_be_repaired:
        raise CaseNotRepairable
    told = _ask(case)
    try:
        return _carry_out(case, told, user, reason)
    except Overtaken as error:
        raise CaseOvertaken from error


def _carry_out(case: Case, told: Json, user: User, reason: str) -> Case:
    """Write what Stripe says and the end of the case together."""
    asked_of = case.payment
    with scope.within(case.organization_id), transaction.atomic():
        case = _lock(case)
        # The order of locks is customer, payment, wallet; a case comes before them all.
        customer = (
            Customer.objects.select_for_update().filter(organization=case.organization_id).first()
        )
        if "invoices" in told:
            intent = case.stripe_payment_intent_id
            payment = invoice_repairs.follow(customer=customer, told=told, intent_id=intent)
            return _end(case, Case.Status.REPAIRED, user, reason, payment)
        assert asked_of is not None, "is_of_invoice, where there is none"
        payment = Payment.objects.select_for_update().get(pk=asked_of.pk)
        if case.kind == Case.Kind.REFUND_DIFFERS:
            _follow_refunds(payment, told["data"])
        else:
            payment = _settle(case, payment, told)
        return _end(case, Case.Status.REPAIRED, user, reason, payment)


def _ask(case: Case) -> Json:
    """
    Return the refunds; or the payment's session with its intent, or the intent alone.

    For an invoice, the subscription that it is of.
    """
    if case.is_of_invoice:
        return dict(invoice_repairs.ask_for(case.stripe_payment_intent_id))
    payment = case.payment
    assert payment is not None, "is_of_invoice, where there is none"
    if case.kind == Case.Kind.REFUND_DIFFERS:
        charge = receipts.charge_of(case.stripe_payment_intent_id)
        found = refund_gateway.list_refunds(charge=charge["id"]) if charge else []
        return {"object": "list", "data": found}
    if payment.stripe_session_id:
        return sessions.retrieve_session(payment.stripe_session_id)
    return objects.retrieve("payment_intent", case.stripe_payment_intent_id)


def _settle(case: Case, payment: Payment, told: Json) -> Payment:
    """
    Settle the payment, or grant for one that is settled already.

    :raises CaseNotRepairable: if Stripe does not say that this intent is paid.
    """
    intent = told.get("payment_intent") if told["object"] == "checkout.session" else told
    is_paid = (
        isinstance(intent, dict)
        and intent["id"] == case.stripe_payment_intent_id
        and intent["status"] == "succeeded"
    )
    if not is_paid:
        raise CaseNotRepairable
    if payment.status == Payment.Status.SUCCEEDED:
        payments.grant_again(payment=payment)
        return payment
    if told["object"] == "checkout.session":
        return follow_session(payment=payment, session=told)
    return payments.follow(payment=payment, intent=told)


def _follow_refunds(payment: Payment, told: list[Json]) -> None:
    """
    Bring a payment and its credits to where its refunds are at Stripe.

    :raises CaseNotRepairable: if there are none: what we have was never refunded there.
    """
    if not told or payment.status != Payment.Status.SUCCEEDED:
        raise CaseNotRepairable
    for one in reversed(told):
        refunds.follow(payment=lock_payment(payment.pk), told=one)


@transaction.atomic
def dismiss(*, case: Case, user: User, reason: str) -> Case:
    """
    Leave a case as it is; it is opened again if the amounts change.

    `reason` goes into the audit log and stands at the case.

    :raises CaseClosed: if the case is open no more.
    """
    case = _lock(case)
    return _end(case, Case.Status.DISMISSED, user, reason, case.payment)


def _lock(case: Case) -> Case:
    """
    Return the case as it is now, locked.

    :raises CaseClosed: if it is open no more.
    """
    locked = Case.objects.select_for_update(of=("self",), no_key=True).get(pk=case.pk)
    if locked.status != Case.Status.OPEN:
        raise CaseClosed
    return locked


def _end(case: Case, status: Case.Status, user: User, reason: str, payment: Payment | None) -> Case:
    case.status, case.note, case.payment = status, reason, payment
    case.closed_at, case.closed_by = database_now(), user
    case.save()
    record(
        action=f"reconciliation.{status.value}",
        organization=case.organization,
        object_id=case.public_id,
        before={"status": Case.Status.OPEN.value, "kind": case.kind},
        after={
            "status": status.value,
            "payment_intent": case.stripe_payment_intent_id,
            "payment": payment.public_id if payment else "",
            "credits": payment.credits if payment else 0,
        },
        reason=reason,
    )
    return case
