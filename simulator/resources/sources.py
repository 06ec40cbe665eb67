"""
The old way to pay: tokens, and cards as sources of customers.

A card is a payment method under the same id, as it is at Stripe: who asks for the one finds
the other, and invoices need not know that there were two ways.
"""

from typing import Any

from simulator import cards
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, missing, no_such
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object, random_text
from simulator.core.views import includable, list_of
from simulator.core.world import World
from simulator.resources import payment_methods
from simulator.resources.customers import ON_CREATE, ON_DELETE, ON_UPDATE

KIND = "card"
COPIED = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
CHANGEABLE = (
    "address_city",
    "address_country",
    "address_line1",
    "address_line2",
    "address_state",
    "address_zip",
    "exp_month",
    "exp_year",
    "name",
)


def card_fields(number: str, given: Object) -> Object:
    """Return the fields of a card object for one of the test cards."""
    month = int(given.get("exp_month") or payment_methods.EXPIRES[0])
    year = int(given.get("exp_year") or payment_methods.EXPIRES[1])
    shown = cards.as_payment_method(cards.CARDS[number], month, year)
    checks = shown["checks"]
    return {
        **{name: shown[name] for name in COPIED},
        **{name: given[name] for name in CHANGEABLE[:6] if given.get(name)},
        "name": given.get("name"),
        "address_line1_check": checks["address_line1_check"],
        "address_zip_check": checks["address_postal_code_check"],
        "cvc_check": checks["cvc_check"],
        "regulated_status": "unregulated",
        "_number": number,
    }


def number_of(tx: Transaction, source: Any, param: str) -> tuple[str, Object]:
    """
    Return the number behind a token or a hash of a card, and what else is known.

    :raises StripeError: if it is neither, or no test card.
    """
    if isinstance(source, dict):
        return cards.by_number(source["number"], f"{param}[number]").number, source
    made = tx.find("token", source)
    if made is not None:
        if made["used"]:
            raise invalid(
                f"You cannot use a Stripe token more than once: {source}.",
                param=param,
                code="token_already_used",
            )
        made["used"] = True
        return made["card"]["_number"], made["card"]
    card = cards.by_name(source)
    if card is None:
        raise no_such("token", source, param)
    return card.number, {}


def attach(tx: Transaction, customer: Object, source: Any, param: str = "source") -> Object:
    """
    Save a card as a customer's source; the first one is the default.

    :raises StripeError: if the bank does not let it be saved.
    """
    number, given = number_of(tx, source, param)
    card = cards.CARDS[number]
    if card.decline and not card.is_saved_first:
        raise cards.decline_error(card.decline)
    made = tx.new(KIND, customer=customer["id"], **card_fields(number, given))
    method = payment_methods.make(tx, card, month=made["exp_month"], year=made["exp_year"])
    _rename(tx, method, made["id"])["customer"] = customer["id"]
    tx.emit("customer.source.created", made)
    if customer["default_source"] is None:
        customer["default_source"] = made["id"]
        tx.emit("customer.updated", customer)
    return made


def _rename(tx: Transaction, method: Object, id_: str) -> Object:
    """Return the payment method under the id of its card."""
    fields = {name: value for name, value in method.items() if name not in ("id", "object")}
    tx.remove(method)
    return tx.new(payment_methods.KIND, id=id_, **fields)


@route("POST", "/v1/tokens")
def tokenize(call: Call) -> Object:
    """Make a token of a card."""
    given = call.get("card")
    if given is None:
        raise missing("card")
    number, details = number_of(call.tx, given, "card")
    card = call.tx.new(KIND, **card_fields(number, details))
    call.tx.remove(card)  # it lives inside of the token only
    return call.tx.new(
        "token",
        id=f"tok_1{random_text(23)}",
        type="card",
        card=card,
        client_ip="127.0.0.1",
        used=False,
        _number=number,
    )


@route("GET", "/v1/tokens/{token}")
def read_token(call: Call) -> Object:
    """Return a token."""
    return call.tx.get("token", call.path["token"])


@route("POST", "/v1/customers/{customer}/sources")
def create(call: Call) -> Object:
    """Save a card as a customer's source."""
    customer = call.tx.get("customer", call.path["customer"])
    source = call.get("source") or call.get("card")
    if source is None:
        raise missing("source")
    made = attach(call.tx, customer, source)
    made["metadata"] = merged_metadata(None, call.get("metadata", {}))
    return made


@route("GET", "/v1/customers/{customer}/sources")
def index(call: Call) -> Object:
    """List a customer's sources."""
    customer = call.tx.get("customer", call.path["customer"])
    if call.get("object", KIND) != KIND:
        return call.page("source", where={"customer": customer["id"]})
    return call.page(KIND, where={"customer": customer["id"]})


@route("GET", "/v1/customers/{customer}/sources/{id}")
def read(call: Call) -> Object:
    """Return one of a customer's sources."""
    return _of_customer(call)


@route("POST", "/v1/customers/{customer}/sources/{id}")
def update(call: Call) -> Object:
    """Change what is written on a card."""
    card = _of_customer(call)
    for name, value in call.only(*CHANGEABLE).items():
        card[name] = int(value) if name.startswith("exp_") else value
    if "metadata" in call.params:
        card["metadata"] = merged_metadata(card["metadata"], call["metadata"])
    call.tx.emit("customer.source.updated", card)
    return card


@route("DELETE", "/v1/customers/{customer}/sources/{id}")
def delete(call: Call) -> Object:
    """Take a card from a customer; another one becomes the default."""
    card = _of_customer(call)
    return _remove(call.tx, call.tx.get("customer", call.path["customer"]), card)


@includable("customer", "sources")
def included(world: World, body: Object) -> Object:
    """Return a customer's sources as a list inside of the customer."""
    found = world.store.kinds[KIND].matching({"customer": body["id"]})[::-1]
    return list_of([world.public(row) for row in found], f"/v1/customers/{body['id']}/sources")


def _of_customer(call: Call) -> Object:
    card = call.tx.get(KIND, call.path["id"])
    if card["customer"] != call.path["customer"]:
        raise no_such("source", call.path["id"])
    return card


def _remove(tx: Transaction, customer: Object, card: Object) -> Object:
    tx.emit("customer.source.deleted", card)
    stub = tx.remove(card)
    tx.remove(tx.get(payment_methods.KIND, card["id"]))
    if customer["default_source"] == card["id"]:
        rest = tx.where(KIND, customer=customer["id"])
        customer["default_source"] = rest[0]["id"] if rest else None
        tx.emit("customer.updated", customer)
    return stub


def _attach_given(call: Call, customer: Object) -> None:
    """Follow `source` and `default_source` of a customer that is made or changed."""
    if source := call.get("source"):
        customer["default_source"] = attach(call.tx, customer, source)["id"]
    if default := call.get("default_source"):
        call.tx.get(KIND, default, "default_source")
        customer["default_source"] = default


def _remove_all(tx: Transaction, customer: Object) -> None:
    for card in tx.where(KIND, customer=customer["id"]):
        tx.remove(card)


ON_CREATE.append(_attach_given)
ON_UPDATE.append(_attach_given)
ON_DELETE.append(_remove_all)
