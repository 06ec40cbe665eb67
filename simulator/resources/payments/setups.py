"""How a payment method is set up for later, without money."""

from collections.abc import Callable

from simulator import cards
from simulator.core.errors import StripeError
from simulator.core.transaction import Transaction
from simulator.core.values import Object, random_text
from simulator.resources.payment_methods import attach, card_of
from simulator.resources.payments.intents import (
    CARD_OPTIONS,
    CONFIRMABLE,
    next_action,
    unexpected_state,
)

KIND = "setup_intent"

type Told = Callable[[Transaction, Object], None]

ON_SUCCESS: list[Told] = []


def make(
    tx: Transaction,
    *,
    customer: str | None = None,
    payment_method: str | None = None,
    **fields: object,
) -> Object:
    """Make a setup intent and tell of it. `payment_method` is the id of one that exists."""
    intent = tx.new(
        KIND,
        clock=tx.clock_of(customer),
        customer=customer,
        payment_method=payment_method,
        payment_method_options={
            "card": {
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": CARD_OPTIONS["request_three_d_secure"],
            }
        },
        payment_method_types=["card"],
        status="requires_confirmation" if payment_method else "requires_payment_method",
        usage="off_session",
    )
    intent.update(fields)
    intent["client_secret"] = f"{intent['id']}_secret_{random_text(25)}"
    tx.emit("setup_intent.created", intent)
    return intent


def confirm(
    tx: Transaction,
    intent: Object,
    *,
    return_url: str | None = None,
    is_authenticated: bool = False,
) -> Object:
    """
    Try to set the payment method up.

    :raises StripeError: if the bank does not want it (which is kept), or if the intent is in
        no state to be confirmed.
    """
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(
            intent,
            f"You cannot confirm this SetupIntent because it has a status of {intent['status']}.",
        )
    if intent["payment_method"] is None:
        raise unexpected_state(
            intent,
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the "
            "SetupIntent with a payment method and then confirm it again.",
        )
    method = tx.get("payment_method", intent["payment_method"], "payment_method")
    card = card_of(method)
    if card.decline and not card.is_saved_first:
        raise fail(tx, intent, cards.decline_error(card.decline))
    if card.authentication in ("always", "on_setup") and not is_authenticated:
        intent["status"] = "requires_action"
        intent["next_action"] = next_action(tx, intent, return_url)
        tx.emit("setup_intent.requires_action", intent)
        return intent
    if intent["customer"] is not None:
        attach(tx, method, intent["customer"])
    method["_is_set_up"] = True
    _attempt(tx, intent, method["id"], "succeeded")
    intent.update(status="succeeded", next_action=None, last_setup_error=None)
    tx.emit("setup_intent.succeeded", intent)
    for told in ON_SUCCESS:
        told(tx, intent)
    return intent


def fail(tx: Transaction, intent: Object, refusal: StripeError) -> StripeError:
    """Let an intent wait for another payment method; return the error, which keeps that."""
    method = tx.get("payment_method", intent["payment_method"])
    refusal.error["payment_method"] = tx.public(method)
    _attempt(tx, intent, method["id"], "failed", dict(refusal.error))
    intent["last_setup_error"] = dict(refusal.error)
    intent.update(status="requires_payment_method", payment_method=None, next_action=None)
    tx.emit("setup_intent.setup_failed", intent)
    refusal.error["setup_intent"] = tx.public(intent)
    refusal.keeps_effects = True
    return refusal


def _attempt(
    tx: Transaction, intent: Object, method: str, status: str, error: Object | None = None
) -> None:
    attempt = tx.new(
        "setup_attempt",
        clock=tx.clock_of(intent["customer"]),
        customer=intent["customer"],
        payment_method=method,
        payment_method_details={"type": "card", "card": dict.fromkeys(ATTEMPTED)},
        setup_error=error,
        setup_intent=intent["id"],
        status=status,
        usage=intent["usage"],
    )
    intent["latest_attempt"] = attempt["id"]


ATTEMPTED = (
    "brand",
    "checks",
    "country",
    "exp_month",
    "exp_year",
    "fingerprint",
    "funding",
    "last4",
    "network",
    "three_d_secure",
    "wallet",
)
