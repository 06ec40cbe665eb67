"""Cash balances: bank transfers that customers send, and intents that wait for them."""

from simulator import cards
from simulator.core.call import Call
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import charges, payment_methods
from simulator.resources.bank_payments import GOOD_CARD
from simulator.resources.payments import intents

TYPE = "customer_balance"
KIND = "customer_cash_balance_transaction"
BALANCE = "cash_balance"


def make_method(tx: Transaction, data: Object, path: str) -> Object:
    """Make the payment method that a customer's own cash balance is."""
    method = payment_methods.make(
        tx, cards.CARDS[GOOD_CARD], billing_details=data.get("billing_details")
    )
    method.update(type=TYPE)
    del method["card"]
    method[TYPE] = {}
    return method


def confirm(tx: Transaction, intent: Object, method: Object) -> Object:
    """Wait for a bank transfer."""
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "display_bank_transfer_instructions",
        "display_bank_transfer_instructions": {
            "amount_remaining": intent["amount"],
            "currency": intent["currency"],
            "hosted_instructions_url": None,
            "reference": intent["id"][-12:].upper(),
            "type": "jp_bank_transfer",
        },
    }
    tx.emit("payment_intent.requires_action", intent)
    return intent


payment_methods.MAKERS[TYPE] = make_method
intents.CONFIRMERS[TYPE] = confirm


@route("POST", "/v1/test_helpers/customers/{customer}/fund_cash_balance")
def fund(call: Call) -> Object:
    """Let a bank transfer of a customer come in."""
    tx = call.tx
    customer = tx.get("customer", call.path["customer"])
    amount, currency = call["amount"], call["currency"].lower()
    cash = customer.setdefault("_cash", {})
    cash[currency] = cash.get(currency, 0) + amount
    made = tx.new(
        KIND,
        currency=currency,
        customer=customer["id"],
        ending_balance=cash[currency],
        funded={"bank_transfer": {"reference": call.get("reference"), "type": "us_bank_transfer"}},
        net_amount=amount,
        type="funded",
    )
    tx.emit("customer_cash_balance_transaction.created", made)
    tx.emit("cash_balance.funds_available", balance_of(customer))
    _apply(tx, customer, currency)
    return made


def balance_of(customer: Object) -> Object:
    """Return a customer's cash balance."""
    left = {name: amount for name, amount in customer.get("_cash", {}).items() if amount}
    return {
        "object": BALANCE,
        "available": left or None,
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "settings": {"reconciliation_mode": "automatic", "using_merchant_default": True},
    }


@route("GET", "/v1/customers/{customer}/cash_balance")
def read(call: Call) -> Object:
    """Return a customer's cash balance."""
    return balance_of(call.tx.get("customer", call.path["customer"]))


@route("GET", "/v1/customers/{customer}/cash_balance_transactions")
def index(call: Call) -> Object:
    """List what came in and was used."""
    customer = call.tx.get("customer", call.path["customer"])
    return call.page(KIND, where={"customer": customer["id"]})


def _apply(tx: Transaction, customer: Object, currency: str) -> None:
    """Pay the oldest intents that wait for a transfer."""
    for intent in tx.where(intents.KIND, customer=customer["id"]):
        left = customer["_cash"][currency]
        is_transfer = TYPE in intent["payment_method_types"] and intent["currency"] == currency
        if intent["status"] != "requires_action" or not is_transfer or not left:
            continue
        shown = intent["next_action"]["display_bank_transfer_instructions"]
        used = min(left, shown["amount_remaining"])
        customer["_cash"][currency] -= used
        shown["amount_remaining"] -= used
        if shown["amount_remaining"]:
            tx.emit("payment_intent.partially_funded", intent)
        else:
            _complete(tx, intent)


def _complete(tx: Transaction, intent: Object) -> None:
    charge = tx.new(
        charges.KIND,
        **{name: intent[name] for name in charges.COPIED},
        amount_captured=intent["amount"],
        billing_details=payment_methods.details(None),
        captured=True,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        outcome=charges.outcome(cards.CARDS[GOOD_CARD], None),
        paid=True,
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        payment_method_details={"type": TYPE, TYPE: {}},
        status="succeeded",
        _number=GOOD_CARD,
        _clock=None,
    )
    charges.settle(tx, charge)
    tx.emit("charge.succeeded", charge)
    intent.update(next_action=None, latest_charge=charge["id"])
    intents.complete(tx, intent, intent["amount"])
