"""Charges: what a payment became, captured at once or later."""

from collections.abc import Callable

from simulator import cards
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object, random_text
from simulator.core.views import includable, list_of
from simulator.core.world import World
from simulator.resources import balance
from simulator.resources.payment_methods import card_of

KIND = "charge"
COPIED = (
    "amount",
    "currency",
    "customer",
    "description",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
SEARCHED = ("amount", "created", "currency", "customer", "disputed", "refunded", "status")

# What else happens to a charge that went through, by the card: disputes, for one.
AFTER: list[Callable[[Transaction, Object, cards.Card], None]] = []


def make(
    tx: Transaction,
    intent: Object,
    method: Object,
    *,
    decline: str | None = None,
    is_authenticated: bool = False,
    is_held: bool = False,
) -> Object:
    """Charge a payment method for an intent, and tell of it."""
    card = card_of(method)
    clock = tx.clock_of(intent["customer"])
    is_taken = decline is None and not is_held
    charge = tx.new(
        KIND,
        clock=clock,
        **{name: intent[name] for name in COPIED},
        amount_captured=intent["amount"] if is_taken else 0,
        billing_details=dict(method["billing_details"]),
        calculated_statement_descriptor="SIMULATED",
        captured=is_taken,
        failure_code=cards.decline_code(decline) if decline else None,
        failure_message=cards.decline_message(decline) if decline else None,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        outcome=outcome(card, decline),
        paid=decline is None,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={
            "type": "card",
            "card": card_details(method, intent["amount"], is_authenticated=is_authenticated),
        },
        status="failed" if decline else "succeeded",
        _number=card.number,
        _clock=clock,
    )
    if decline:
        tx.emit("charge.failed", charge)
        return charge
    charge["receipt_url"] = f"{tx.base_url}/_sim/receipts/{charge['id']}"
    tx.emit("charge.succeeded", charge)
    if is_taken:
        settle(tx, charge)
        tx.emit("charge.updated", charge)
    return charge


def after(tx: Transaction, charge: Object) -> None:
    """Let the card do what it does after a charge."""
    for function in AFTER:
        function(tx, charge, cards.CARDS[charge["_number"]])


def settle(tx: Transaction, charge: Object) -> None:
    """Add what was captured to the balance."""
    amount = charge["amount_captured"]
    charge["balance_transaction"] = balance.record(
        tx,
        "charge",
        amount,
        charge["currency"],
        charge["id"],
        fee=balance.fee_for(amount),
        clock=charge["_clock"],
        is_available=cards.CARDS[charge["_number"]].is_available_at_once,
        description=charge["description"],
    )["id"]


def capture(tx: Transaction, charge: Object, amount: int) -> None:
    """Take the money that was held, or a part of it; the rest is let go."""
    charge.update(captured=True, amount_captured=amount)
    if amount < charge["amount"]:
        charge.update(amount_refunded=charge["amount"] - amount)
    settle(tx, charge)
    tx.emit("charge.captured", charge)


def outcome(card: cards.Card, decline: str | None) -> Object:
    """Return what bank and risk check said."""
    is_blocked = decline == "fraudulent"
    scores = {"normal": 12, "elevated": 68, "highest": 92}
    risk = "highest" if is_blocked else card.risk
    if decline is None:
        words = ("approved_by_network", "Payment complete.", "authorized")
    elif is_blocked:
        words = ("not_sent_to_network", "Stripe blocked this payment as too risky.", "blocked")
    else:
        said = "The bank did not return any further details with this decline."
        words = ("declined_by_network", said, "issuer_declined")
    return {
        "advice_code": cards.ADVICE.get(decline, "try_again_later") if decline else None,
        "network_advice_code": None,
        "network_decline_code": "01" if decline else None,
        "network_status": words[0],
        "reason": "highest_risk_level" if is_blocked else decline,
        "risk_level": risk,
        "risk_score": scores[risk],
        "seller_message": words[1],
        "type": words[2],
    }


def card_details(method: Object, amount: int, *, is_authenticated: bool) -> Object:
    """Return the hash `payment_method_details.card`."""
    card = method["card"]
    shown = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    secure = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": random_text(24),
        "version": "2.2.0",
    }
    unavailable = {"status": "unavailable"}
    return {
        **{name: card[name] for name in shown},
        "amount_authorized": amount,
        "authorization_code": random_text(6).upper(),
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": unavailable,
        "installments": None,
        "last4": card["last4"],
        "mandate": None,
        "multicapture": unavailable,
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": random_text(15),
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": card["regulated_status"],
        "three_d_secure": secure if is_authenticated else None,
        "wallet": None,
    }


@route("GET", "/v1/charges")
def index(call: Call) -> Object:
    """List charges."""
    return call.page(KIND, match=("customer", "payment_intent", "transfer_group"))


@route("GET", "/v1/charges/search")
def search(call: Call) -> Object:
    """Search charges."""
    return call.search(KIND, SEARCHED)


@route("GET", "/v1/charges/{charge}")
def read(call: Call) -> Object:
    """Return a charge."""
    return call.tx.get(KIND, call.path["charge"])


@route("POST", "/v1/charges/{charge}")
def update(call: Call) -> Object:
    """Change what does not touch the money."""
    charge = call.tx.get(KIND, call.path["charge"])
    changed = call.only("description", "receipt_email", "shipping", "transfer_group")
    charge.update(changed)
    if "fraud_details" in call.params:
        charge["fraud_details"] = call["fraud_details"] or {}
    if "metadata" in call.params:
        charge["metadata"] = merged_metadata(charge["metadata"], call["metadata"])
    call.tx.emit("charge.updated", charge)
    return charge


@includable(KIND, "refunds")
def refunds(world: World, body: Object) -> Object:
    """Return a charge's refunds, newest first."""
    found = world.store.kinds["refund"].matching({"charge": body["id"]})[::-1]
    return list_of([world.public(row) for row in found], f"/v1/charges/{body['id']}/refunds")


def check_capturable(charge: Object, amount: int) -> None:
    """
    Say no to what cannot be captured.

    :raises StripeError: if it is captured already, or less was held.
    """
    if charge["captured"]:
        message = f"Charge {charge['id']} has already been captured."
        raise invalid(message, code="charge_already_captured")
    if amount > charge["amount"]:
        raise invalid(
            f"The amount to capture ({amount}) is greater than the amount of the charge "
            f"({charge['amount']}).",
            param="amount_to_capture",
            code="amount_too_large",
        )
