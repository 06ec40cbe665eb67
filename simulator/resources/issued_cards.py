"""Issuing: cardholders, their cards, and what is spent with them, as far as tests ask for it."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.http import Response, as_json
from simulator.core.routing import page, route
from simulator.core.transaction import Transaction
from simulator.core.values import Object, copy
from simulator.core.views import view
from simulator.core.world import World

CARDHOLDER = "issuing.cardholder"
CARD = "issuing.card"
AUTHORIZATION = "issuing.authorization"
TRANSACTION = "issuing.transaction"
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
MERCHANT = {"category": "computer_software_stores", "category_code": "5734", "country": "US"}


@route("POST", "/v1/issuing/cardholders")
def create_cardholder(call: Call) -> Object:
    """Make somebody who may hold cards."""
    tx = call.tx
    address = {**dict.fromkeys(ADDRESS), **call["billing"]["address"]}
    holder = tx.new(
        CARDHOLDER,
        **call.only("email", "name", "phone_number"),
        billing={"address": address},
        individual=_individual(call.get("individual")),
        metadata=merged_metadata(None, call.get("metadata")),
        status=call.get("status", "active"),
        type=call.get("type", "individual"),
    )
    tx.emit("issuing_cardholder.created", holder)
    return holder


def _individual(given: Object | None) -> Object | None:
    if given is None:
        return None
    found = {"dob": None, "verification": None, **given}
    accepted = (given.get("card_issuing") or {}).get("user_terms_acceptance")
    terms = {"date": None, "ip": None, "user_agent": None, **(accepted or {})}
    found["card_issuing"] = {"user_terms_acceptance": terms}
    return found


@route("GET", "/v1/issuing/cardholders")
def cardholders(call: Call) -> Object:
    """List cardholders."""
    return call.page(CARDHOLDER, match=("email", "phone_number", "status", "type"))


@route("GET", "/v1/issuing/cardholders/{cardholder}")
def cardholder(call: Call) -> Object:
    """Return a cardholder."""
    return call.tx.get(CARDHOLDER, call.path["cardholder"])


@route("POST", "/v1/issuing/cards")
def create_card(call: Call) -> Object:
    """Make a card."""
    tx = call.tx
    holder = tx.get(CARDHOLDER, call.get("cardholder", ""), "cardholder")
    card = tx.new(
        CARD,
        brand="Visa",
        cardholder=holder["id"],
        currency=call["currency"].lower(),
        exp_month=12,
        exp_year=2034,
        last4="0004",
        metadata=merged_metadata(None, call.get("metadata")),
        status=call.get("status", "inactive"),
        type=call["type"],
    )
    tx.emit("issuing_card.created", card)
    return card


@view(CARD)
def complete_card(world: World, body: Object) -> None:
    """Embed the cardholder."""
    if isinstance(body["cardholder"], str):
        body["cardholder"] = world.public(world.store.kinds[CARDHOLDER].rows[body["cardholder"]])


@route("GET", "/v1/issuing/cards")
def cards(call: Call) -> Object:
    """List cards."""
    return call.page(CARD, match=("cardholder", "status", "type"))


@route("GET", "/v1/issuing/cards/{card}")
def card(call: Call) -> Object:
    """Return a card."""
    return call.tx.get(CARD, call.path["card"])


@page("POST", "/v1/issuing/cards/{card}/test/authorizations")
def authorize(call: Call) -> Response:
    """Try a card somewhere; an address of Stripe's that is not in its description."""
    tx = call.tx
    card = tx.get(CARD, call.path["card"])
    if card["status"] != "active":
        raise invalid(f"The card {card['id']} is not active.")
    amount = int(call.params.get("held_amount", 0))
    currency = str(call.params.get("held_currency", card["currency"]))
    made = tx.new(
        AUTHORIZATION,
        **_spent(tx, card, amount, currency),
        approved=False,
        authorization_method=str(call.params.get("authorization_method", "online")),
        pending_request=_asked(amount, currency),
        status="pending",
        verification_data=_verification(),
    )
    tx.emit("issuing_authorization.request", made)
    return as_json(tx.public(made))


def _asked(amount: int, currency: str) -> Object:
    return {
        "amount": amount,
        "amount_details": None,
        "currency": currency,
        "is_amount_controllable": False,
        "merchant_amount": amount,
        "merchant_currency": currency,
        "network_risk_score": None,
    }


def _verification() -> Object:
    unchecked = "not_provided"
    return {
        "address_line1_check": unchecked,
        "address_postal_code_check": unchecked,
        "authentication_exemption": None,
        "cvc_check": "match",
        "expiry_check": "match",
        "postal_code": None,
        "three_d_secure": None,
    }


@view(AUTHORIZATION)
def complete_authorization(world: World, body: Object) -> None:
    """Embed the card."""
    if isinstance(body["card"], str):
        body["card"] = world.public(world.store.kinds[CARD].rows[body["card"]])


@route("POST", "/v1/test_helpers/issuing/transactions/create_force_capture")
def capture(call: Call) -> Object:
    """Spend with a card, whatever its issuer would say."""
    tx = call.tx
    card = tx.get(CARD, call["card"], "card")
    currency = call.get("currency", card["currency"]).lower()
    made = tx.new(TRANSACTION, **_spent(tx, card, -call["amount"], currency), type="capture")
    made["merchant_data"].update(call.get("merchant_data", {}))
    tx.emit("issuing_transaction.created", made)
    bought = call.get("purchase_details")
    if bought is not None:
        made["purchase_details"] = {
            **dict.fromkeys(("fleet", "flight", "fuel", "lodging", "receipt", "reference")),
            **copy(bought),
        }
        for line in made["purchase_details"]["receipt"] or []:
            line["quantity"] = float(line.get("quantity") or 1)
            line.setdefault("total", None)
        tx.emit("issuing_transaction.purchase_details_receipt_updated", made)
    return made


def _spent(tx: Transaction, card: Object, amount: int, currency: str) -> Object:
    empty = ("city", "name", "postal_code", "state", "tax_id", "terminal_id", "url")
    return {
        "amount": amount,
        "card": card["id"],
        "cardholder": card["cardholder"],
        "currency": currency,
        "merchant_amount": amount,
        "merchant_currency": currency,
        "merchant_data": {**dict.fromkeys(empty), **MERCHANT, "network_id": "1234567890"},
        "metadata": {},
    }


@route("GET", "/v1/issuing/transactions/{transaction}")
def transaction(call: Call) -> Object:
    """Return a transaction."""
    return call.tx.get(TRANSACTION, call.path["transaction"])


@route("POST", "/v1/issuing/transactions/{transaction}")
def update_transaction(call: Call) -> Object:
    """Change a transaction's metadata."""
    row = call.tx.get(TRANSACTION, call.path["transaction"])
    if "metadata" in call.params:
        row["metadata"] = merged_metadata(row["metadata"], call["metadata"])
    call.tx.emit("issuing_transaction.updated", row)
    return row
