"""The next invoice of a subscription, as Stripe would make it now; asked for, and kept a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from apps.billing.errors import StripeRefused, StripeUnavailable
from apps.billing.gateway import objects
from apps.billing.gateway import subscriptions as gateway
from apps.billing.gateway.client import hurried
from apps.billing.models import OrganizationSubscription
from apps.billing.services.subscriptions.cycles import moment_of
from apps.billing.services.subscriptions.invoices import periods_of
from apps.core.db import outside_transaction

logger = structlog.get_logger(__name__)
Json = Mapping[str, Any]
Status = OrganizationSubscription.Status
BILLED = (Status.TRIAL, Status.ACTIVE, Status.PAST_DUE)
KEPT_SECONDS = 300
AWAY_SECONDS = 30  # so long nobody else waits for a Stripe that did not answer
AWAY = "away"


@dataclass(frozen=True)
class Line:
    """One line of the invoice."""

    description: str
    quantity: int | None
    amount: int  # minor units, without tax; negative: given back
    period_start: datetime
    period_end: datetime  # exclusive


@dataclass(frozen=True)
class NextInvoice:
    """What is charged next, and what that gives. Money in minor units."""

    date: datetime
    lines: tuple[Line, ...]
    has_more_lines: bool  # Stripe names some of many
    discount: int
    tax: int
    total: int  # with tax
    amount_due: int  # less what the customer has to his credit at Stripe
    currency: str
    credits: int  # that come once it is paid


@outside_transaction
def next_invoice(subscription: OrganizationSubscription) -> NextInvoice | None:
    """
    Return the next invoice; None if none comes: it ends, rests, is free or has not begun.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeUnavailable: if Stripe does not answer within seconds, or did not just now.
    """
    if (
        subscription.status not in BILLED
        or subscription.cancel_at_period_end
        or not subscription.stripe_subscription_id
    ):
        return None
    key = key_of(subscription)
    kept = _kept(key)
    if kept == AWAY:
        raise StripeUnavailable
    if isinstance(kept, NextInvoice):
        return kept
    try:
        with hurried():
            found = _read(_ask(subscription))
    except StripeUnavailable:
        _keep(key, AWAY, AWAY_SECONDS)
        raise
    except StripeRefused as error:
        if error.details.get("stripe_code") == "invoice_upcoming_none":
            return None
        logger.warning("next_invoice_refused", subscription=subscription.public_id)
        raise StripeUnavailable from error
    _keep(key, found, KEPT_SECONDS)
    return found


def key_of(subscription: OrganizationSubscription) -> str:
    """Return the key in the cache: this subscription, with all that changes its next invoice."""
    facts = (
        *(subscription.public_id, subscription.status, subscription.asked_at),
        *(subscription.version_id, subscription.quantity),
        *(subscription.next_version_id, subscription.next_quantity),
    )
    return "billing:next_invoice:" + ":".join(str(one).replace(" ", "T") for one in facts)


def _ask(subscription: OrganizationSubscription) -> Json:
    """Ask for what comes; a change that is scheduled is named, because it is what comes."""
    stripe_id = subscription.stripe_subscription_id
    assert stripe_id, "what is not at Stripe has no invoice"
    upcoming = subscription.next_version
    if upcoming is None:
        return gateway.preview_next(stripe_id)
    items = {
        "price": upcoming.stripe_price_id,
        "quantity": subscription.next_quantity or 1,
        "proration_behavior": "none",
    }
    return gateway.preview_items(
        subscription=objects.retrieve("subscription", stripe_id), items=items
    )


def _read(told: Json) -> NextInvoice:
    credits = sum(one.version.included_credits * one.quantity for one in periods_of(told))
    return NextInvoice(
        date=moment_of(told["period_end"]),
        lines=tuple(_line(one) for one in told["lines"]["data"]),
        has_more_lines=told["lines"]["has_more"],
        discount=sum(one["amount"] for one in told.get("total_discount_amounts") or []),
        tax=sum(one["amount"] for one in told.get("total_taxes") or []),
        total=told["total"],
        amount_due=told["amount_due"],
        currency=told["currency"],
        credits=credits,
    )


def _line(told: Json) -> Line:
    return Line(
        description=told["description"] or "",
        quantity=told["quantity"],
        amount=told["amount"],
        period_start=moment_of(told["period"]["start"]),
        period_end=moment_of(told["period"]["end"]),
    )


def _kept(key: str) -> object:
    """Return what the cache has; None without a cache, which only spares a question."""
    try:
        return cache.get(key)
    except RedisError:
        return None


def _keep(key: str, value: object, seconds: int) -> None:
    try:
        cache.set(key, value, seconds)
    except RedisError:
        logger.warning("next_invoice_not_kept")
