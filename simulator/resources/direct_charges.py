"""Charges without an intent: the old way, for which the customer cannot authenticate."""

from simulator import cards
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import missing
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import charges, payment_methods, sources
from simulator.resources.payments.intent_routes import check_amount
from simulator.resources.payments.intents import complete

PLAIN = (
    "description",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


@route("POST", "/v1/charges")
def create(call: Call) -> Object:
    """Charge a token or a customer's card."""
    for name in ("amount", "currency"):
        if call.get(name) is None:
            raise missing(name)
    check_amount(call["amount"], call["currency"])
    tx = call.tx
    method = _method(call)
    card = payment_methods.card_of(method)
    order = {
        **dict.fromkeys(PLAIN),
        **call.only(*PLAIN),
        "id": None,
        "amount": call["amount"],
        "currency": call["currency"].lower(),
        "customer": call.get("customer"),
        "metadata": merged_metadata(None, call.get("metadata", {})),
    }
    decline = card.decline or ("authentication_required" if card.authentication else None)
    is_held = call.get("capture") is False
    charge = charges.make(tx, order, method, decline=decline, is_held=is_held)
    if decline:
        refusal = cards.decline_error(decline, charge=charge["id"])
        refusal.keeps_effects = True
        raise refusal
    charges.after(tx, charge)
    return charge


@route("POST", "/v1/charges/{charge}/capture")
def capture(call: Call) -> Object:
    """Take the money that is held."""
    tx = call.tx
    charge = tx.get("charge", call.path["charge"])
    amount = call.get("amount", charge["amount"])
    charges.check_capturable(charge, amount)
    charge.update(call.only("receipt_email", "statement_descriptor", "transfer_group"))
    charges.capture(tx, charge, amount)
    intent = tx.find("payment_intent", charge["payment_intent"])
    if intent is not None:
        complete(tx, intent, amount)
    return charge


def _method(call: Call) -> Object:
    """
    Return what is charged: a source that is given, or the customer's default one.

    :raises StripeError: if there is none, or it is not the customer's.
    """
    tx = call.tx
    source = call.get("source") or call.get("card")
    customer = call.get("customer")
    if customer is not None:
        owner = tx.get("customer", customer, "customer")
        source = source or owner["default_source"]
        if isinstance(source, str) and tx.find("card", source):
            card = tx.get("card", source, "source")
            if card["customer"] == owner["id"]:
                return tx.get(payment_methods.KIND, source, "source")
    if source is None:
        raise missing("source" if customer is None else "customer")
    number, given = sources.number_of(tx, source, "source")
    return _once(tx, number, given)


def _once(tx: Transaction, number: str, given: Object) -> Object:
    year, month = given.get("exp_year"), given.get("exp_month")
    card = cards.CARDS[number]
    return payment_methods.make(
        tx, card, month=int(month) if month else None, year=int(year) if year else None
    )
