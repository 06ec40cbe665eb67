"""
How a Checkout session is completed: by the hosted page, once, whatever is pressed twice.

`attempt` is what the page's button does. A session ends when its intent succeeds, which may
be later and elsewhere: on the bank's page.
"""

from collections.abc import Callable

from simulator.core.errors import StripeError, invalid
from simulator.core.perform import perform
from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.payments import intent_routes, intents, setup_routes, setups

KIND = "checkout.session"
DETAILS = (
    "address",
    "business_name",
    "email",
    "individual_name",
    "name",
    "phone",
    "tax_exempt",
    "tax_ids",
)
INTENT_FIELDS = (
    "capture_method",
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)

type Told = Callable[[Transaction, Object], None]

# What else happens when a session is complete, or has expired.
ON_COMPLETE: list[Told] = []
ON_EXPIRE: list[Told] = []

type Begin = Callable[[Transaction, Object, Object | None], Object | None]


def attempt(
    tx: Transaction, session: Object, method: Object | None, details: Object | None = None
) -> Object | None:
    """
    Buy what a session offers with a payment method that is not attached to anybody else.

    Return the intent if the customer has to authenticate first.

    :raises StripeError: if the card is declined (which is kept), or the session is not open.
    """
    check_open(session)
    _note_details(tx, session, details or {})
    _take_customer(tx, session)
    if method is None and needs_method(session):
        raise invalid("Choose how to pay.", param="payment_method")
    intent = BEGIN[session["mode"]](tx, session, method)
    if intent is not None and intent["status"] == "requires_action":
        return intent
    if session["status"] == "open":
        settle(tx, session)
    return None


def check_open(session: Object) -> None:
    """
    Say no to what has ended.

    :raises StripeError: if the session is complete or expired.
    """
    if session["status"] != "open":
        raise invalid(
            f"This Checkout Session is {session['status']}. Only one that is open can be paid.",
            code="checkout_session_not_open",
        )


def needs_method(session: Object) -> bool:
    """Say whether anything must be charged or saved now."""
    if session["mode"] == "setup" or session["amount_total"]:
        return True
    return bool(session["payment_method_collection"] == "always")


def settle(tx: Transaction, session: Object) -> None:
    """Complete a session whose payment needs nothing more from the buyer."""
    intent = intent_of(tx, session)
    if intent is None:
        finish(tx, session, "no_payment_required")
    elif intent["status"] in ("requires_capture", "processing"):
        finish(tx, session, "unpaid")
    elif intent["status"] == "succeeded":
        is_money = intent["object"] == "payment_intent"
        finish(tx, session, "paid" if is_money else "no_payment_required")


def finish(tx: Transaction, session: Object, payment_status: str) -> None:
    """Complete a session, once."""
    if session["status"] != "open":
        return
    tx.unschedule(session["id"])
    session.update(status="complete", payment_status=payment_status, url=None)
    session["customer"] = session["_customer"]
    for told in ON_COMPLETE:
        told(tx, session)
    tx.emit("checkout.session.completed", session)


def expire(tx: Transaction, session: Object) -> None:
    """Let a session end without a purchase; an intent that waits is given up."""
    tx.unschedule(session["id"])
    session.update(status="expired", url=None)
    for told in ON_EXPIRE:
        told(tx, session)
    give_up_intent(tx, session)
    tx.emit("checkout.session.expired", session)


def give_up_intent(tx: Transaction, session: Object) -> None:
    """Cancel the intent behind a session, if there is one that still waits."""
    intent = intent_of(tx, session)
    if intent is None or intent["status"] in ("succeeded", "canceled"):
        return
    module = setup_routes if intent["object"] == "setup_intent" else intent_routes
    module.cancel_it(tx, intent, "abandoned")


@timer("checkout.session.expire")
def expire_in_time(tx: Transaction, id_: str) -> None:
    """Let a session end because its time is over."""
    session = tx.get(KIND, id_)
    if session["status"] == "open":
        expire(tx, session)


def intent_of(tx: Transaction, session: Object) -> Object | None:
    """Return the intent behind a session, if there is one yet."""
    if session["_intent"] is None:
        return None
    kind = "setup_intent" if session["_intent"].startswith("seti_") else "payment_intent"
    return tx.get(kind, session["_intent"])


def page_url(tx: Transaction, session: Object) -> str:
    """Return where the buyer pays."""
    return f"{tx.base_url}/c/pay/{session['id']}"


def _note_details(tx: Transaction, session: Object, given: Object) -> None:
    customer = tx.find("customer", session["customer"]) or {}
    known = {name: customer.get(name) for name in ("address", "email", "name", "phone")}
    details: Object = dict.fromkeys(DETAILS)
    details.update(known, tax_exempt="none", tax_ids=[])
    details["email"] = details["email"] or session["customer_email"]
    details.update({name: value for name, value in given.items() if value})
    session["customer_details"] = details


def _take_customer(tx: Transaction, session: Object) -> None:
    """Make a customer if the session is to have one and does not."""
    if session["_customer"] or not session["_makes_customer"]:
        return
    details = session["customer_details"]
    given = {name: details[name] for name in ("address", "email", "name", "phone")}
    session["_customer"] = perform(tx, "POST", "/v1/customers", **given)["id"]


def _begin_payment(tx: Transaction, session: Object, method: Object | None) -> Object | None:
    if method is None:
        return None
    intent = intent_of(tx, session)
    if intent is None:
        data = session["_intent_data"]
        fields = {name: data[name] for name in INTENT_FIELDS if data.get(name) is not None}
        intent = intents.make(
            tx,
            amount=session["amount_total"],
            currency=session["currency"],
            customer=session["_customer"],
            metadata=dict(data.get("metadata") or {}),
            payment_method_types=list(session["payment_method_types"]),
            _session=session["id"],
            **fields,
        )
        session.update(_intent=intent["id"], payment_intent=intent["id"])
    intent.update(amount=session["amount_total"], customer=session["_customer"])
    return _confirm(tx, session, intent, method)


def _confirm(tx: Transaction, session: Object, intent: Object, method: Object) -> Object:
    intent["payment_method"] = method["id"]
    url = page_url(tx, session)
    if intent["object"] == "setup_intent":
        return setups.confirm(tx, intent, return_url=url)
    return intents.confirm(tx, intent, return_url=url)


def _begin_setup(tx: Transaction, session: Object, method: Object | None) -> Object | None:
    intent = intent_of(tx, session)
    if intent is None or method is None:
        return None
    intent["customer"] = session["_customer"]
    return _confirm(tx, session, intent, method)


def _on_success(tx: Transaction, intent: Object) -> None:
    session = tx.find(KIND, intent.get("_session"))
    if session is None:
        return
    if session["status"] == "open":
        settle(tx, session)
    elif session["payment_status"] == "unpaid":
        session["payment_status"] = "paid"
        if intent.get("_is_delayed"):
            tx.emit("checkout.session.async_payment_succeeded", session)


def _on_failure(tx: Transaction, intent: Object) -> None:
    session = tx.find(KIND, intent.get("_session"))
    if session is not None and session["status"] == "complete":
        tx.emit("checkout.session.async_payment_failed", session)


intents.AFTER_SUCCESS.append(_on_success)  # an invoice is paid before its session ends
intents.AFTER_FAILURE.append(_on_failure)
setups.ON_SUCCESS.append(_on_success)

# How the purchase begins, by the session's mode. It returns the intent, if there is one.
BEGIN: dict[str, Begin] = {"payment": _begin_payment, "setup": _begin_setup}


def refusal_of(error: StripeError) -> str:
    """Return what the buyer is told of a refusal."""
    return str(error.error["message"])
