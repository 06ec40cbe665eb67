"""How Stripe is asked: with which key, how long, and what its errors mean here."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import stripe
import structlog
from django.conf import settings

from apps.billing.errors import (
    AuthenticationNeeded,
    BillingNotConfigured,
    PaymentDeclined,
    StripeRefused,
    StripeUnavailable,
)
from apps.core.db import outside_transaction

logger = structlog.get_logger(__name__)
TIMEOUT_SECONDS = 10
HURRIED_SECONDS = 3  # for what a page can do without
RETRIES = 1  # by the SDK, with the same key; what still fails is resumed from our own rows
# Of a payment, and of an invoice.
WANTS_TO_SEE_THE_CUSTOMER = {"authentication_required", "invoice_payment_intent_requires_action"}
MAYBE_LATER = {409, 429}  # the same key is in use, or too many requests: nothing is known yet

Json = dict[str, Any]
Question = Callable[[Any, Any], Any]
_is_hurried: ContextVar[bool] = ContextVar("coffer_stripe_is_hurried", default=False)


def is_configured() -> bool:
    """Tell whether there is a key, so that anything can be bought."""
    return bool(settings.STRIPE_SECRET_KEY)


def is_simulated() -> bool:
    """Tell whether a stand-in is asked instead of Stripe: no card is charged then."""
    return bool(settings.STRIPE_API_URL)


@contextmanager
def hurried() -> Iterator[None]:
    """Wait for each answer within a block for some seconds only, and ask once."""
    token = _is_hurried.set(True)
    try:
        yield
    finally:
        _is_hurried.reset(token)


@outside_transaction
def ask(question: Question, *, key: str = "") -> Json:
    """
    Ask Stripe, and return the object that it answers with, as plain JSON.

    `question` gets the client's `v1` services and the options to pass on. `key` is the
    idempotency key, made from a row of ours, of whatever changes something at Stripe.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises PaymentDeclined: if the bank said no.
    :raises AuthenticationNeeded: if the bank wants to see the customer.
    :raises StripeRefused: if it cannot be; nothing was done.
    :raises StripeUnavailable: if nobody knows whether it was done.
    """
    if not is_configured():
        raise BillingNotConfigured
    hurry = _is_hurried.get()
    services = _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_URL, hurry).v1
    try:
        answer = question(services, {"idempotency_key": key} if key else {})
    except stripe.CardError as error:
        raise _declined(error) from error
    except stripe.StripeError as error:
        raise _failed(error) from error
    # Through text: what the SDK calls a dictionary holds Decimals and objects of its own.
    plain: Json = json.loads(str(answer))
    return plain


@cache
def _client(key: str, address: str, hurry: bool) -> stripe.StripeClient:
    """Return the client for a key; `address` is that of a stand-in, or empty."""
    seconds = HURRIED_SECONDS if hurry else TIMEOUT_SECONDS
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        max_network_retries=0 if hurry else RETRIES,
        http_client=stripe.RequestsClient(timeout=seconds),
        base_addresses={"api": address} if address else {},
    )


def _declined(error: stripe.CardError) -> PaymentDeclined | AuthenticationNeeded:
    intent = error.error.payment_intent if error.error else None
    intent_id = intent["id"] if intent else ""
    decline_code = getattr(error.error, "decline_code", None) or ""
    if WANTS_TO_SEE_THE_CUSTOMER & {error.code, decline_code}:
        return AuthenticationNeeded(payment_intent=intent_id)
    return PaymentDeclined(
        reason=error.user_message or "the bank gave no reason.",
        decline_code=decline_code or error.code or "",
        payment_intent=intent_id,
    )


def _failed(error: stripe.StripeError) -> StripeRefused | StripeUnavailable:
    status = error.http_status or 0
    logger.warning("stripe_error", status=status, code=error.code, request=error.request_id)
    if 400 <= status < 500 and status not in MAYBE_LATER:
        return StripeRefused(reason=error.user_message or str(error), stripe_code=error.code or "")
    return StripeUnavailable()
