"""
Pay an open invoice with the saved card, because somebody asks for it.

An attempt is written down, Stripe is asked with the attempt's id as the key, and its answer is
written down. What is paid comes in by the doors of Stripe's news: nothing here moves money.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.billing.errors import (
    AuthenticationNeeded,
    InvoiceNotOpen,
    PaymentDeclined,
    StripeRefused,
)
from apps.billing.gateway import invoices as gateway
from apps.billing.gateway import objects
from apps.billing.models import BillingDocument, Customer, InvoiceAttempt
from apps.billing.selectors.reloads import card_of
from apps.billing.services import invoice_repairs, sweeping
from apps.billing.services.handling import Json, News, NotKnownYet
from apps.billing.services.history import note_invoice
from apps.billing.services.subscription_events import follow_subscription, subscription_of
from apps.billing.services.subscriptions.following import Overtaken
from apps.billing.services.sweeping import PATIENCE, SWEPT_AT_ONCE
from apps.core import scope
from apps.core.clock import workers_now
from apps.core.db import inside_transaction, outside_transaction
from apps.core.errors import NotFound
from apps.tenants.models import Organization, User
from apps.tenants.services.audit import record

Status = InvoiceAttempt.Status
PAYABLE = (BillingDocument.Status.OPEN, BillingDocument.Status.UNCOLLECTIBLE)
KEY_LIVES = timedelta(hours=23)  # Stripe remembers a key for a day
NO_CARD = "No card is saved. Save one, or pay on Stripe's page."


@dataclass(frozen=True)
class Outcome:
    """What came of one question to Stripe."""

    status: Status
    code: str = ""
    reason: str = ""


@inside_transaction
def request(
    *, organization: Organization, user: User | None, document_id: UUID | None
) -> InvoiceAttempt:
    """
    Write down that an open invoice shall be paid now; one that is being asked for is that one.

    :raises NotFound: if the organization has no document with this id.
    :raises InvoiceNotOpen: if there is nothing to pay on it.
    """
    rows = BillingDocument.objects.select_for_update(of=("self",))
    rows = rows.filter(organization=organization)
    document = rows.filter(pk=document_id).first() if document_id else None
    if document is None:
        raise NotFound
    if document.kind != BillingDocument.Kind.INVOICE or document.status not in PAYABLE:
        stands = f"a {document.get_kind_display().lower()} ({document.get_status_display()})"
        raise InvoiceNotOpen(stands=stands)
    found = document.attempts.filter(status=Status.ASKED).first()
    if found is not None:
        return found
    card = card_of(organization)
    attempt = InvoiceAttempt.objects.create(
        organization=organization,
        document=document,
        user=user,
        payment_method_id=card.payment_method_id if card else "",
    )
    record(
        action="invoice.pay_requested",
        organization=organization,
        object_id=document.public_id,
        after={"attempt": attempt.public_id, "amount_due": document.amount_due},
    )
    return attempt


@outside_transaction
def carry_out(attempt: InvoiceAttempt) -> InvoiceAttempt:
    """
    Ask Stripe to pay the invoice, and write down what it says; safe to repeat.

    Nothing is asked whose answer stands here already, or so late that Stripe has forgotten the
    key: then only the invoice is looked at.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeUnavailable: if its answer got lost; it is asked for again by itself.
    """
    if attempt.status != Status.ASKED:
        return attempt
    invoice_id = attempt.document.stripe_id
    outcome = Outcome(Status.UNANSWERED)
    if workers_now() < attempt.created_at + KEY_LIVES:
        outcome = _ask(attempt, invoice_id)
    invoice = objects.retrieve("invoice", invoice_id)
    subscription_id = subscription_of(invoice)
    told = invoice_repairs.ask_with(invoice, subscription_id) if subscription_id else invoice
    if invoice["status"] == "paid":  # now, or by somebody else meanwhile
        outcome = Outcome(Status.PAID)
    with scope.within(attempt.organization_id):
        _follow(attempt.organization, told, invoice)
        return _write_down(attempt, outcome)


def resume(organization: Organization, attempt_id: UUID) -> InvoiceAttempt:
    """Carry out the organization's attempt with this id, or return what came of it."""
    rows = InvoiceAttempt.objects.select_related("organization", "document")
    return carry_out(rows.get(organization=organization, pk=attempt_id))


def sweep() -> int:
    """Ask again for what got no answer; return how many were tried."""
    waiting = InvoiceAttempt.objects.filter(
        status=Status.ASKED, created_at__lte=workers_now() - PATIENCE
    )
    rows = waiting.select_related("organization", "document").order_by("created_at")
    return sweeping.each(rows[:SWEPT_AT_ONCE], carry_out)


def _ask(attempt: InvoiceAttempt, invoice_id: str) -> Outcome:
    card = attempt.payment_method_id  # of the row: what is asked again with a key is the same
    try:
        gateway.pay_invoice(key=attempt.public_id, invoice_id=invoice_id, payment_method=card)
    except PaymentDeclined as error:
        told = error.details
        return Outcome(Status.DECLINED, told["decline_code"], told["reason"])
    except AuthenticationNeeded as error:
        return Outcome(Status.ACTION_REQUIRED, error.code)
    except StripeRefused as error:
        code = error.details["stripe_code"]
        reason = NO_CARD if code == "resource_missing" else error.details["reason"]
        return Outcome(Status.REFUSED, code or "refused", reason)
    return Outcome(Status.PROCESSING)


def _follow(organization: Organization, told: Json, invoice: Json) -> None:
    """Handle what Stripe says as its news of this invoice are handled."""
    try:
        with transaction.atomic():
            customer = Customer.objects.select_for_update().get(organization=organization)
            follow_subscription(News("invoice.paid", about=told, told=invoice, customer=customer))
    except (Overtaken, NotKnownYet):  # newer news were handled, or it is no subscription of ours
        with transaction.atomic():
            note_invoice(organization, invoice)


@transaction.atomic
def _write_down(attempt: InvoiceAttempt, outcome: Outcome) -> InvoiceAttempt:
    rows = InvoiceAttempt.objects.select_for_update(of=("self",))
    locked = rows.select_related("organization", "document").get(pk=attempt.pk)
    if locked.status != Status.ASKED:
        return locked
    locked.status, locked.ended_at = outcome.status, workers_now()
    locked.failure_code, locked.failure_message = outcome.code[:100], outcome.reason
    locked.save()
    after: dict[str, Any] = {"attempt": locked.public_id, "status": str(locked.status)}
    record(
        action="invoice.pay",
        organization=locked.organization,
        object_id=locked.document.public_id,
        after=after | ({"code": locked.failure_code} if locked.failure_code else {}),
    )
    return locked


def raise_refusal(attempt: InvoiceAttempt) -> None:
    """
    Raise what stands against an attempt that has not been paid; nothing for one that was.

    :raises PaymentDeclined: if the bank said no.
    :raises AuthenticationNeeded: if the bank wants to see the customer: on the page `pay_url`.
    :raises StripeRefused: if Stripe refused it, or never answered.
    """
    if attempt.status == Status.DECLINED:
        raise PaymentDeclined(reason=attempt.failure_message, decline_code=attempt.failure_code)
    if attempt.status == Status.ACTION_REQUIRED:
        raise AuthenticationNeeded(pay_url=attempt.document.hosted_url)
    if attempt.status == Status.REFUSED:
        reason, code = attempt.failure_message, attempt.failure_code
        raise StripeRefused(reason=reason, stripe_code=code)
    if attempt.status == Status.UNANSWERED:
        raise StripeRefused(reason="It never answered, and nothing was paid. Try again.")
