"""Payment methods: the test cards, attached to customers or not."""

from collections.abc import Callable
from typing import Any

from simulator import cards
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid, no_such
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.customers import ADDRESS, ON_CREATE, ON_DELETE

KIND = "payment_method"
EXPIRES = (12, 2034)
DETAILS = ("address", "email", "name", "phone", "tax_id")


# How a payment method of another type than a card is made from its data.
MAKERS: dict[str, Callable[[Transaction, Object, str], Object]] = {}


def card_of(method: Object) -> cards.Card:
    """Return the test card behind a payment method."""
    return cards.CARDS[method["_number"]]


def find(tx: Transaction, id_: str, param: str = "payment_method") -> Object:
    """
    Return a payment method by its id, or a new one for a name like `pm_card_visa`.

    :raises StripeError: if it is neither.
    """
    method = tx.find(KIND, id_)
    if method is not None:
        return method
    card = cards.by_name(id_)
    if card is None:
        raise no_such(KIND, id_, param)
    return make(tx, card)


def make(
    tx: Transaction,
    card: cards.Card,
    *,
    month: int | None = None,
    year: int | None = None,
    billing_details: Object | None = None,
    metadata: Object | None = None,
    allow_redisplay: str = "unspecified",
) -> Object:
    """Make a payment method of a test card."""
    return tx.new(
        KIND,
        type="card",
        card=cards.as_payment_method(card, month or EXPIRES[0], year or EXPIRES[1]),
        billing_details=details(billing_details),
        allow_redisplay=allow_redisplay,
        metadata=merged_metadata(None, metadata or {}),
        _number=card.number,
    )


def from_data(tx: Transaction, data: Object, path: str = "") -> Object:
    """
    Make a payment method from `payment_method_data`, or from what is given to create one.

    :raises StripeError: if it is no card, or no test card.
    """
    if maker := MAKERS.get(data.get("type", "")):
        return maker(tx, data, path)
    if data.get("type") != "card":
        raise invalid(
            f'The payment method type "{data.get("type")}" is not known to this simulator, '
            "which has cards only.",
            param=f"{path}[type]" if path else "type",
        )
    given = data.get("card") or {}
    param = f"{path}[card]" if path else "card"
    month, year = given.get("exp_month"), given.get("exp_year")
    if "token" in given:
        card = _of_token(tx, given["token"], f"{param}[token]")
    elif "number" in given:
        card = cards.by_number(given["number"], f"{param}[number]")
        _check_expiry(tx, month, year, param)
    else:
        raise invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")
    return make(
        tx,
        card,
        month=month,
        year=year,
        billing_details=data.get("billing_details"),
        metadata=data.get("metadata"),
        allow_redisplay=data.get("allow_redisplay", "unspecified"),
    )


def _of_token(tx: Transaction, token: str, param: str) -> cards.Card:
    made = tx.find("token", token)
    card = cards.CARDS[made["_number"]] if made else cards.by_name(token)
    if card is None:
        raise no_such("token", token, param)
    return card


def _check_expiry(tx: Transaction, month: Any, year: Any, param: str) -> None:
    if month is not None and not 1 <= month <= 12:
        raise _unusable("month", f"{param}[exp_month]")
    now = 1970 + tx.now() // 31_556_952
    if year is not None and not now <= year + (2000 if year < 100 else 0) <= now + 50:
        raise _unusable("year", f"{param}[exp_year]")


def _unusable(part: str, param: str) -> StripeError:
    message = f"Your card's expiration {part} is invalid."
    return StripeError(402, "card_error", message, code=f"invalid_expiry_{part}", param=param)


def details(given: Object | None) -> Object:
    """Return billing details with every field that they have."""
    found = {**dict.fromkeys(DETAILS), **(given or {})}
    if found["address"]:
        found["address"] = {**ADDRESS, **found["address"]}
    return found


def attach(tx: Transaction, method: Object, customer: str) -> Object:
    """
    Give a payment method to a customer.

    :raises StripeError: if it is another's, or the bank does not let it be saved.
    """
    if method["customer"] == customer:
        return method
    if method["customer"] is not None or method.get("_is_spent"):
        raise invalid(
            "The payment method you provided has already been attached to a customer."
            if method["customer"]
            else "This PaymentMethod was previously used without being attached to a Customer or "
            "was detached from a Customer, and may not be used again.",
            code="payment_method_unexpected_state" if method["customer"] is None else None,
        )
    card = card_of(method)
    if card.decline and not card.is_saved_first:
        raise cards.decline_error(card.decline)
    method["customer"] = customer
    tx.emit("payment_method.attached", method)
    return method


def detach(tx: Transaction, method: Object) -> Object:
    """Take a payment method from its customer for good."""
    customer = tx.get("customer", method["customer"])
    if customer["invoice_settings"]["default_payment_method"] == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
        tx.emit("customer.updated", customer)
    method["customer"] = None
    method["_is_spent"] = True
    tx.emit("payment_method.detached", method)
    return method


@route("POST", "/v1/payment_methods")
def create(call: Call) -> Object:
    """Make a payment method."""
    return from_data(call.tx, call.params)


@route("GET", "/v1/payment_methods")
def index(call: Call) -> Object:
    """List payment methods; without a customer there are none to be seen."""
    if "customer" not in call.params:
        return call.page(KIND, keep=lambda row: False)
    return call.page(KIND, match=("customer", "type"))


@route("GET", "/v1/payment_methods/{payment_method}")
def read(call: Call) -> Object:
    """Return a payment method."""
    return find(call.tx, call.path["payment_method"], "id")


@route("POST", "/v1/payment_methods/{payment_method}")
def update(call: Call) -> Object:
    """Change billing details, expiry or metadata of an attached payment method."""
    method = call.tx.get(KIND, call.path["payment_method"])
    if method["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    if "billing_details" in call.params:
        method["billing_details"] = details(
            {**method["billing_details"], **(call["billing_details"] or {})}
        )
    for name in ("exp_month", "exp_year"):
        if name in call.get("card", {}):
            method["card"][name] = call["card"][name]
    method.update(call.only("allow_redisplay"))
    if "metadata" in call.params:
        method["metadata"] = merged_metadata(method["metadata"], call["metadata"])
    call.tx.emit("payment_method.updated", method)
    return method


@route("POST", "/v1/payment_methods/{payment_method}/attach")
def attach_it(call: Call) -> Object:
    """Give a payment method to a customer."""
    customer = call.get("customer")
    if customer is None:
        raise invalid(
            "Missing required param: customer.", param="customer", code="parameter_missing"
        )
    call.tx.get("customer", customer, "customer")
    return attach(call.tx, find(call.tx, call.path["payment_method"], "id"), customer)


@route("POST", "/v1/payment_methods/{payment_method}/detach")
def detach_it(call: Call) -> Object:
    """Take a payment method from its customer."""
    method = call.tx.get(KIND, call.path["payment_method"])
    if method["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible.",
        )
    return detach(call.tx, method)


@route("GET", "/v1/customers/{customer}/payment_methods")
def index_of_customer(call: Call) -> Object:
    """List a customer's payment methods."""
    customer = call.tx.get("customer", call.path["customer"])
    return call.page(KIND, match=("type",), where={"customer": customer["id"]})


@route("GET", "/v1/customers/{customer}/payment_methods/{payment_method}")
def read_of_customer(call: Call) -> Object:
    """Return one of a customer's payment methods."""
    method = call.tx.get(KIND, call.path["payment_method"])
    if method["customer"] != call.path["customer"]:
        raise no_such(KIND, call.path["payment_method"])
    return method


def _detach_all(tx: Transaction, customer: Object) -> None:
    for method in tx.where(KIND, customer=customer["id"]):
        method["customer"] = None
        method["_is_spent"] = True


def _attach_first(call: Call, customer: Object) -> None:
    if method := call.get("payment_method"):
        attach(call.tx, find(call.tx, method), customer["id"])


ON_CREATE.append(_attach_first)
ON_DELETE.append(_detach_all)
