"""Charges of a saved card while the customer is not there."""

from collections.abc import Iterator
from typing import Any

from apps.billing.gateway.client import Json, ask

PAGE = 100


def charge_saved_card(*, key: str, question: Json) -> Json:
    """
    Charge a customer's saved card; the same key must always come with the same question.

    :raises PaymentDeclined: if the bank said no.
    :raises AuthenticationNeeded: if the bank wants to see the customer.
    :raises StripeRefused: if it cannot be; nothing was charged.
    :raises StripeUnavailable: if nobody knows whether it was charged.
    """
    return ask(lambda stripe, options: stripe.payment_intents.create(question, options), key=key)


def cancel_intent(intent_id: str) -> Json:
    """
    Let nobody pay an intent any more.

    :raises StripeRefused: if it is over already.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    return ask(lambda stripe, options: stripe.payment_intents.cancel(intent_id, {}, options))


def find_intent(*, customer: str, payment: str, since: int) -> Json | None:
    """
    Return the customer's intent that was made for a payment of ours, if there is one.

    For questions that are older than Stripe remembers keys. `since` is Unix time.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    for intent in _intents(customer, since):
        if (intent.get("metadata") or {}).get("coffer_payment") == payment:
            return intent
    return None


def _intents(customer: str, since: int) -> Iterator[Json]:
    question: dict[str, Any] = {"customer": customer, "created": {"gte": since}, "limit": PAGE}
    while True:
        found = ask(lambda stripe, options: stripe.payment_intents.list(dict(question), options))
        yield from found["data"]
        if not found["has_more"]:
            return
        question["starting_after"] = found["data"][-1]["id"]
