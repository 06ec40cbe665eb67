"""
Payments that take a while: SEPA debits by Stripe's test IBANs.

A debit is `processing` until its time has come, then it succeeds or fails.
"""

from simulator import cards
from simulator.core.errors import StripeError, missing
from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object, random_text
from simulator.resources import charges, payment_methods
from simulator.resources.payments import intents

TYPE = "sepa_debit"
SECONDS = 1
LONG_SECONDS = 180
# The last digits of the documented IBANs that do not simply succeed.
FAILING = ("AT861904300235473202", "IT60X0542811101000000123456", "DE62370400440532013001")
LATE = ("AT321904300235473204", "DE65370400440532013002")
GOOD_CARD = "4242424242424242"  # refunds of a debit go like those of this card


def make_method(tx: Transaction, data: Object, path: str) -> Object:
    """
    Make a payment method of an IBAN.

    :raises StripeError: if there is none.
    """
    iban = ((data.get(TYPE) or {}).get("iban") or "").replace(" ", "")
    if not iban:
        raise missing(f"{path}[{TYPE}][iban]" if path else f"{TYPE}[iban]")
    method = payment_methods.make(
        tx,
        cards.CARDS[GOOD_CARD],
        billing_details=data.get("billing_details"),
        metadata=data.get("metadata"),
    )
    method["type"] = TYPE
    del method["card"]
    method[TYPE] = {
        "bank_code": iban[4:9],
        "branch_code": "",
        "country": iban[:2],
        "fingerprint": cards.Card(iban).fingerprint,
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }
    method["_iban"] = iban
    return method


def confirm(tx: Transaction, intent: Object, method: Object) -> Object:
    """Ask the bank, which takes its time."""
    clock = tx.clock_of(intent["customer"])
    charge = tx.new(
        charges.KIND,
        clock=clock,
        **{name: intent[name] for name in charges.COPIED},
        amount_captured=0,
        billing_details=dict(method["billing_details"]),
        calculated_statement_descriptor="SIMULATED",
        captured=True,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        outcome=charges.outcome(cards.CARDS[GOOD_CARD], None),
        paid=False,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": TYPE, TYPE: _details(method)},
        status="pending",
        _number=GOOD_CARD,
        _clock=clock,
    )
    intent.update(status="processing", next_action=None, latest_charge=charge["id"])
    intent["_is_delayed"] = True
    method["_is_spent"] = method["customer"] is None
    tx.emit("charge.pending", charge)
    tx.emit("payment_intent.processing", intent)
    wait = LONG_SECONDS if method["_iban"] in LATE else SECONDS
    tx.schedule(tx.now(clock) + wait, "bank_payment.end", intent["id"], clock)
    return intent


def _details(method: Object) -> Object:
    shown = ("bank_code", "branch_code", "country", "fingerprint", "last4")
    return {
        **{name: method[TYPE][name] for name in shown},
        "mandate": f"mandate_1{random_text(23)}",
    }


@timer("bank_payment.end")
def end(tx: Transaction, id_: str) -> None:
    """Hear what the bank says."""
    intent = tx.get(intents.KIND, id_)
    if intent["status"] != "processing":
        return
    charge = tx.get(charges.KIND, intent["latest_charge"])
    method = tx.get(payment_methods.KIND, intent["payment_method"])
    if method["_iban"] in FAILING:
        _fail(tx, intent, charge, method)
        return
    charge.update(status="succeeded", paid=True, amount_captured=charge["amount"])
    charges.settle(tx, charge)
    tx.emit("charge.succeeded", charge)
    intents.complete(tx, intent, intent["amount"])


def _fail(tx: Transaction, intent: Object, charge: Object, method: Object) -> None:
    words = "The transaction failed because the account has insufficient funds."
    code = "payment_intent_payment_attempt_failed"
    charge.update(status="failed", failure_code=code, failure_message=words)
    tx.emit("charge.failed", charge)
    refusal = StripeError(402, "card_error", words, code=code, charge=charge["id"])
    refusal.error["payment_method"] = tx.public(method)
    intents.refuse(tx, intent, refusal)


payment_methods.MAKERS[TYPE] = make_method
intents.CONFIRMERS[TYPE] = confirm
