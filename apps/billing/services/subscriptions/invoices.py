"""What Stripe's invoices of a subscription mean: payments, and credits of periods."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from apps.billing.models import OrganizationSubscription, Payment, PlanVersion
from apps.billing.services import payments
from apps.billing.services.subscriptions import cycles, prorations
from apps.core.db import inside_transaction
from apps.credits.errors import WalletClosed

logger = structlog.get_logger(__name__)
Json = Mapping[str, Any]
OPEN = ("open", "uncollectible")


@dataclass(frozen=True)
class Period:
    """One line of an invoice: a version of a plan for a period."""

    version: PlanVersion
    quantity: int
    start: datetime
    end: datetime
    paid: int  # minor units, without tax


@inside_transaction
def follow_invoice(*, subscription: OrganizationSubscription, invoice: Json) -> None:
    """
    Write down what an invoice says now: its payment, and once it is paid what it gives.

    Safe to repeat, in any order: a payment has the invoice's id, and credits their period's.
    Into a closed wallet nothing is given; handled again when that is open, an event gives it.

    :raises CycleNotOver: if our clock has not reached the end of the last cycle yet.
    """
    if invoice["status"] == "draft":
        return
    _follow_payment(subscription, invoice)
    if invoice["status"] != "paid":
        return
    try:
        _give(subscription, invoice)
    except WalletClosed:
        logger.error(
            "paid_into_closed_wallet", subscription=subscription.public_id, invoice=invoice["id"]
        )


@transaction.atomic
def _give(subscription: OrganizationSubscription, invoice: Json) -> None:
    """Give the credits that a paid invoice is for: all of them, or none."""
    if invoice["billing_reason"] == "subscription_update":
        prorations.post_paid(subscription=subscription, invoice=invoice)
    for period in periods_of(invoice):
        cycles.begin_cycle(
            subscription=subscription,
            version=period.version,
            quantity=period.quantity,
            start=period.start,
            end=period.end,
            paid=period.paid,
        )


def periods_of(invoice: Json) -> Iterator[Period]:
    """Yield the periods that an invoice is for; parts of one are no periods."""
    for line in invoice["lines"]["data"]:
        parent = line.get("parent") or {}
        about = parent.get("subscription_item_details")
        if about is None or about.get("proration"):
            continue
        version = version_of_price(line["pricing"]["price_details"]["price"])
        if version is None:
            continue
        discounts = sum(one["amount"] for one in line.get("discount_amounts") or [])
        yield Period(
            version=version,
            quantity=line["quantity"] or 1,
            start=cycles.moment_of(line["period"]["start"]),
            end=cycles.moment_of(line["period"]["end"]),
            paid=line["amount"] - discounts,
        )


def version_of_price(price: str | Json) -> PlanVersion | None:
    """Return the version of a plan that a price of Stripe's is for."""
    price_id = price if isinstance(price, str) else price["id"]
    return PlanVersion.objects.select_related("plan").filter(stripe_price_id=price_id).first()


def _follow_payment(subscription: OrganizationSubscription, invoice: Json) -> None:
    """Keep one payment for each invoice over money that was tried to be collected."""
    is_paid = invoice["status"] == "paid"
    amount = invoice["amount_paid"] if is_paid else invoice["amount_due"]
    found = Payment.objects.select_for_update().filter(stripe_invoice_id=invoice["id"]).first()
    if found is not None and found.status == Payment.Status.SUCCEEDED:
        return
    if not amount or (found is None and not is_paid and not invoice["attempted"]):
        return
    payment = found or Payment(
        organization=subscription.organization,
        purpose=Payment.Purpose.INVOICE,
        plan_version=subscription.version,
        stripe_invoice_id=invoice["id"],
        is_live=settings.STRIPE_LIVE_MODE,
    )
    tax = min(sum(one["amount"] for one in invoice.get("total_taxes") or []), amount)
    payment.amount, payment.tax, payment.currency = amount - tax, tax, invoice["currency"]
    payment.stripe_payment_intent_id = _intent_of(invoice) or payment.stripe_payment_intent_id
    if is_paid:
        payments.settle(payment, {"amount_received": amount, "currency": invoice["currency"]})
        return
    waits = invoice["status"] in OPEN
    payment.status = Payment.Status.FAILED if waits else Payment.Status.CANCELLED
    payment.pay_url = (invoice.get("hosted_invoice_url") or "") if waits else ""
    payment.save()


def _intent_of(invoice: Json) -> str | None:
    """Return the payment intent that pays the invoice, the one that paid it first of all."""
    paid = (invoice.get("payments") or {}).get("data") or []
    best = sorted(paid, key=lambda one: one["status"] != "paid")
    found = next((one["payment"].get("payment_intent") for one in best), None)
    return found["id"] if isinstance(found, Mapping) else found
