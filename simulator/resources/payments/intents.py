"""
How a payment goes: from an intent that is confirmed to a charge, or to a refusal.

Invoices, Checkout and the hosted authentication page come here too. What must happen when a
payment has gone through or failed is added to `ON_SUCCESS` and `ON_FAILURE` by whoever keeps
books of it, and to `AFTER_SUCCESS` and `AFTER_FAILURE` by whoever goes on with what they say.
"""

from collections.abc import Callable
from typing import Any

from simulator import cards
from simulator.core.errors import StripeError, invalid
from simulator.core.transaction import Transaction
from simulator.core.values import Object, random_text
from simulator.resources import charges
from simulator.resources.payment_methods import attach, card_of

KIND = "payment_intent"
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")

type Told = Callable[[Transaction, Object], None]

# How a payment goes with a payment method of another type than a card.
CONFIRMERS: dict[str, Callable[[Transaction, Object, Object], Object]] = {}
ON_SUCCESS: list[Told] = []
AFTER_SUCCESS: list[Told] = []
ON_FAILURE: list[Told] = []
AFTER_FAILURE: list[Told] = []


def make(
    tx: Transaction,
    *,
    amount: int,
    currency: str,
    customer: str | None = None,
    payment_method: str | None = None,
    **fields: object,
) -> Object:
    """Make an intent and tell of it. `payment_method` is the id of one that exists."""
    intent = tx.new(
        KIND,
        clock=tx.clock_of(customer),
        amount=amount,
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        capture_method="automatic_async",
        confirmation_method="automatic",
        currency=currency,
        customer=customer,
        payment_method=payment_method,
        payment_method_options={"card": dict(CARD_OPTIONS)},
        payment_method_types=["card"],
        status="requires_confirmation" if payment_method else "requires_payment_method",
    )
    intent.update(fields)
    intent["client_secret"] = f"{intent['id']}_secret_{random_text(25)}"
    tx.emit("payment_intent.created", intent)
    return intent


CARD_OPTIONS = {
    "installments": None,
    "mandate_options": None,
    "network": None,
    "request_three_d_secure": "automatic",
}


def confirm(
    tx: Transaction,
    intent: Object,
    *,
    off_session: bool = False,
    return_url: str | None = None,
    must_not_wait: bool = False,
    may_wait: bool = False,
    is_authenticated: bool = False,
) -> Object:
    """
    Try to take the money.

    The intent has then succeeded, or may be captured, or waits for the customer to
    authenticate. `must_not_wait` makes the latter an error; `may_wait` lets it wait even off
    session, as invoices do.

    :raises StripeError: if the card is declined (its effects are kept), or if the intent is
        in no state to be confirmed.
    """
    _check_confirmable(intent)
    method = tx.get("payment_method", intent["payment_method"], "payment_method")
    _check_owner(intent, method)
    if confirmer := CONFIRMERS.get(method["type"]):
        return confirmer(tx, intent, method)
    is_authenticated = is_authenticated or intent.pop("_is_authenticated", False)
    if not is_authenticated and _needs_authentication(intent, method, off_session=off_session):
        if (off_session and not may_wait) or must_not_wait:
            raise fail(tx, intent, "authentication_required")
        return _ask(tx, intent, return_url)
    card = card_of(method)
    if card.decline:
        raise fail(tx, intent, card.decline)
    return _succeed(tx, intent, method, is_authenticated=is_authenticated)


def _check_confirmable(intent: Object) -> None:
    status = intent["status"]
    if status not in CONFIRMABLE:
        raise unexpected_state(
            intent,
            f"You cannot confirm this PaymentIntent because it has a status of {status}. Only a "
            f"PaymentIntent with one of the following statuses may be confirmed: "
            f"{', '.join(CONFIRMABLE)}."
            if status != "succeeded"
            else "You cannot confirm this PaymentIntent because it has already succeeded after "
            "being previously confirmed.",
        )
    if intent["payment_method"] is None:
        raise unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
        )


def unexpected_state(intent: Object, message: str) -> StripeError:
    """Return the 400 for an intent that is not where it would have to be."""
    kind = intent["object"]
    body = {name: value for name, value in intent.items() if name[:1] != "_"}
    extra: dict[str, Any] = {kind: body}
    return invalid(message, code=f"{kind}_unexpected_state", **extra)


def _check_owner(intent: Object, method: Object) -> None:
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise invalid(
            f"The provided PaymentMethod ({method['id']}) is attached to a Customer. To use it, "
            "give that Customer as `customer` of the intent."
            if intent["customer"] is None
            else f"The payment method {method['id']} does not belong to the Customer "
            f"{intent['customer']}. The payment method must be attached to that customer.",
            param="payment_method",
        )
    if method.get("_is_spent"):
        raise invalid(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was "
            "detached from a Customer. It may not be used again. To use a PaymentMethod multiple "
            "times, you must attach it to a Customer first.",
            param="payment_method",
        )


def _needs_authentication(intent: Object, method: Object, *, off_session: bool) -> bool:
    options = (intent["payment_method_options"] or {}).get("card") or {}
    if options.get("request_three_d_secure", "automatic") != "automatic" and not off_session:
        return bool(method["card"]["three_d_secure_usage"]["supported"])
    match card_of(method).authentication:
        case "always":
            return True
        case "on_setup":
            return not (off_session and method.get("_is_set_up"))
        case "set_up":
            return not off_session
    return False


def _ask(tx: Transaction, intent: Object, return_url: str | None) -> Object:
    """Send the customer to the bank's page."""
    intent["status"] = "requires_action"
    intent["next_action"] = next_action(tx, intent, return_url)
    tx.emit(f"{intent['object']}.requires_action", intent)
    return intent


def next_action(tx: Transaction, intent: Object, return_url: str | None) -> Object:
    """Return where the customer authenticates: a page of ours, or left to Stripe.js."""
    url = f"{tx.base_url}/_sim/authenticate/{intent['id']}"
    intent["_return_url"] = return_url
    if return_url is None:
        sdk = {"type": "three_d_secure_redirect", "stripe_js": url}
        return {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    redirect = {"return_url": return_url, "url": url}
    return {"type": "redirect_to_url", "redirect_to_url": redirect}


def fail(tx: Transaction, intent: Object, decline: str) -> StripeError:
    """Note that a charge was declined; return the error, which keeps that."""
    method = tx.get("payment_method", intent["payment_method"])
    charge = charges.make(tx, intent, method, decline=decline)
    intent["latest_charge"] = charge["id"]
    refusal = cards.decline_error(decline, charge=charge["id"], payment_method=tx.public(method))
    return refuse(tx, intent, refusal)


def refuse(tx: Transaction, intent: Object, refusal: StripeError) -> StripeError:
    """Let an intent wait for another payment method; return the error, which keeps that."""
    intent["last_payment_error"] = dict(refusal.error)
    intent.update(status="requires_payment_method", payment_method=None, next_action=None)
    tx.emit("payment_intent.payment_failed", intent)
    for told in (*ON_FAILURE, *AFTER_FAILURE):
        told(tx, intent)
    refusal.error["payment_intent"] = tx.public(intent)
    refusal.keeps_effects = True
    return refusal


def _succeed(tx: Transaction, intent: Object, method: Object, *, is_authenticated: bool) -> Object:
    intent.update(next_action=None, last_payment_error=None)
    is_held = intent["capture_method"] == "manual"
    charge = charges.make(tx, intent, method, is_authenticated=is_authenticated, is_held=is_held)
    intent["latest_charge"] = charge["id"]
    _remember(tx, intent, method)
    if is_held:
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        tx.emit("payment_intent.amount_capturable_updated", intent)
    else:
        complete(tx, intent, intent["amount"])
    charges.after(tx, charge)
    return intent


def _remember(tx: Transaction, intent: Object, method: Object) -> None:
    """Save the payment method for later, or see that it is not used twice."""
    if method["customer"] is None:
        if intent["setup_future_usage"] and intent["customer"]:
            attach(tx, method, intent["customer"])
        else:
            method["_is_spent"] = True
    if intent["setup_future_usage"] == "off_session":
        method["_is_set_up"] = True


def complete(tx: Transaction, intent: Object, amount: int) -> None:
    """Note that the money is there, and tell whoever waits for it."""
    intent.update(status="succeeded", amount_received=amount, amount_capturable=0)
    tx.emit("payment_intent.succeeded", intent)
    for told in (*ON_SUCCESS, *AFTER_SUCCESS):
        told(tx, intent)
