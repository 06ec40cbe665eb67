"""What billing does when it hears news, and what it tells of a person."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.dispatch import receiver

from apps.billing.errors import BillingUnderWay
from apps.billing.models import (
    AutoReload,
    BillingDetails,
    Customer,
    InvoiceAttempt,
    Payment,
    PlanTime,
    Refund,
    SubscriptionChange,
)
from apps.billing.selectors.closing import money_to_come
from apps.billing.selectors.subscriptions import coverage_of
from apps.billing.services import (
    forgetting,
    inbox,
    refund_mails,
    reload_mails,
    reload_outcomes,
    reloads,
)
from apps.billing.signals import card_changed, payment_moved, payment_settled
from apps.core import mail, personal
from apps.credits.selectors import coverage
from apps.credits.signals import debited
from apps.rbac.selectors.erasures import Identity
from apps.tenants.models import Organization, User
from apps.tenants.signals import organization_closed, organization_closing, person_erased

logger = structlog.get_logger(__name__)


@receiver(organization_closing)
def billing_under_way(organization: Organization, **kwargs: Any) -> BillingUnderWay | None:
    """Return what stands against closing, if money may still come."""
    return money_to_come(organization)


@receiver(organization_closed)
def refuse_while_money_may_come(organization: Organization, **kwargs: Any) -> None:
    """
    Keep an organization from closing while it is charged: its wallet would take no credits.

    :raises BillingUnderWay: if a plan goes on, or a payment is in flight.
    """
    if refusal := money_to_come(organization):
        raise refusal


@receiver(debited)
def ask_whether_a_reload_is_due(wallet_ids: Sequence[UUID], **kwargs: Any) -> None:
    """Ring where it may be; the charge is committed, so that nothing here may undo it."""
    try:
        reloads.ring(wallet_ids)
    except DatabaseError:
        logger.exception("reload_not_rung")  # the sweep looks again


@receiver(payment_moved)
def conclude_from_attempt(payment: Payment, **kwargs: Any) -> None:
    """Back off, pause or suspend after an attempt that was not paid."""
    reload_outcomes.note_move(payment=payment)


@receiver(payment_settled)
def conclude_from_payment(payment: Payment, **kwargs: Any) -> None:
    """Go on after a top-up that was paid."""
    reload_outcomes.note_paid(payment=payment)


@receiver(payment_settled)
def hurry_what_came_too_early(payment: Payment, **kwargs: Any) -> None:
    """Have refunds and disputes handled that were told before: a dispute freezes credits."""
    inbox.hurry(payment.stripe_payment_intent_id or "")


@receiver(card_changed)
def conclude_from_card(customer: Customer, **kwargs: Any) -> None:
    """Go on with another card."""
    reload_outcomes.note_card(customer=customer)


@receiver(person_erased)
def forget_reasons(user: User, identity: Identity, **kwargs: Any) -> None:
    """Take away why he ended plans, and what others wrote of him there."""
    forgetting.forget_reasons(user=user, identity=identity)


@receiver(person_erased)
def forget_where_bills_go(user: User, identity: Identity, **kwargs: Any) -> None:
    """Send no more bills to him, and let none say his name."""
    forgetting.forget_where_bills_go(identity=identity)


def payments_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return what he bought for organizations; the payments themselves belong to them."""
    rows = Payment.objects.filter(user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "purpose", "status", "credits", "amount", "tax"),
        *("currency", "created_at", "settled_at"),
    )
    return found


def refunds_by(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the refunds that he asked for as a member of staff, with what he wrote."""
    rows = Refund.objects.filter(requested_by=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "amount", "payment__currency", "status", "reason"),
        *("note", "created_at"),
    )
    return found


def reloads_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return what he agreed to be charged by itself; the settings belong to organizations."""
    rows = AutoReload.objects.filter(consented_by=user).order_by("id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "consent_text", "consented_at", "is_enabled")
    )
    return found


def subscription_changes_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return what he asked of subscriptions; these belong to the organizations."""
    rows = SubscriptionChange.objects.filter(user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "kind", "status", "quantity", "reason", "created_at")
    )
    return found


def plan_times_by(user: User) -> Iterable[Mapping[str, Any]]:
    """Return which days of plans he gave as a member of staff, with what he wrote."""
    rows = PlanTime.objects.filter(user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "version__plan__code", "days", "reason", "created_at")
    )
    return found


def attempts_by(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the open invoices that he asked to be charged to the saved card."""
    rows = InvoiceAttempt.objects.filter(user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "document__number", "status", "created_at", "ended_at")
    )
    return found


def bills_sent_to(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the organizations that send their bills to his address; the others' stay theirs."""
    rows = BillingDetails.objects.filter(emails__contains=[user.email]).order_by("id")
    slugs = rows.values_list("organization__slug", flat=True)
    return [{"organization__slug": slug, "email": user.email} for slug in slugs]


personal.register("bills_sent_to", bills_sent_to)
personal.register("invoice_attempts", attempts_by)
personal.register("payments", payments_of)
personal.register("plan_times", plan_times_by)
personal.register("subscription_changes", subscription_changes_of)
personal.register("refunds", refunds_by)
personal.register("automatic_reloads", reloads_of)
mail.register(refund_mails.QUEUE)
mail.register(reload_mails.QUEUE)
coverage.register(coverage_of)
