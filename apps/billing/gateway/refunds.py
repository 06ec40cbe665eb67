"""Refunds at Stripe: giving money back, and what was given back."""

from functools import partial
from typing import Any

from apps.billing.gateway.client import Json, ask

PAGE = 100  # refunds of one charge; Stripe itself keeps no more


def create_refund(
    *, key: str, payment_intent: str, amount: int, reason: str, organization: str
) -> Json:
    """
    Give back an amount, in minor units; `key` is the public id of our own row.

    `reason` is Stripe's word, or empty.

    :raises StripeRefused: if it cannot be given back.
    :raises StripeUnavailable: if nobody knows whether it was.
    """
    params: Json = {
        "payment_intent": payment_intent,
        "amount": amount,
        "metadata": {"coffer_refund": key, "coffer_organization": organization},
    }
    if reason:
        params["reason"] = reason
    return ask(partial(_create, params), key=key)


def list_refunds(**of: str) -> list[Json]:
    """Return the refunds of a `charge` or a `payment_intent`, the newest first."""
    found: list[Json] = ask(partial(_page, {**of, "limit": PAGE}))["data"]
    return found


def _create(params: Json, stripe: Any, options: Any) -> Any:
    return stripe.refunds.create(params, options)


def _page(params: Json, stripe: Any, options: Any) -> Any:
    return stripe.refunds.list(params, options)
