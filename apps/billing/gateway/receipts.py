"""What Stripe has taken and given back since a moment, as reconciliation reads it."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from apps.billing.gateway import objects
from apps.billing.gateway.client import Json, ask

PAGE = 100


def list_charges(*, since: datetime) -> Iterator[Json]:
    """
    Yield the charges of all customers from a moment on, the newest first; failed ones, too.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    return _listed("charges", since)


def list_refunds(*, since: datetime) -> Iterator[Json]:
    """
    Yield the refunds from a moment on, the newest first.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    return _listed("refunds", since)


def charge_of(intent_id: str) -> Json | None:
    """
    Return the latest charge of a payment intent; None if nobody has tried to pay it.

    :raises StripeRefused: if there is no such intent.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    charge: Json | None = objects.retrieve("payment_intent", intent_id).get("latest_charge")
    return charge


def invoice_of(intent_id: str) -> Json | None:
    """
    Return the invoice that a payment intent paid, with what paid it; None if it paid none.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    params = {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
    found = ask(lambda stripe, options: stripe.invoice_payments.list(params, options))["data"]
    return objects.retrieve("invoice", found[0]["invoice"]) if found else None


def _listed(service: str, since: datetime) -> Iterator[Json]:
    after: dict[str, Any] = {}
    while True:
        params = {"created": {"gte": int(since.timestamp())}, "limit": PAGE, **after}
        page = ask(partial(_page, service, params))
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def _page(service: str, params: Json, stripe: Any, options: Any) -> Any:
    return getattr(stripe, service).list(params, options)
