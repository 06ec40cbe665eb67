"""Refunds: money goes back, never more than was taken."""

from simulator import cards
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid, missing, no_such
from simulator.core.routing import route
from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import balance

KIND = "refund"
WAIT_SECONDS = 5  # until a bank has made up its mind about a refund that is not instant


def make(
    tx: Transaction,
    charge: Object,
    amount: int | None = None,
    *,
    reason: str | None = None,
    metadata: Object | None = None,
) -> Object:
    """
    Give back an amount of a charge, or all that is left of it.

    :raises StripeError: if it is more than is left, or the charge cannot be refunded.
    """
    # What was let go at a capture in part counts as refunded, so the whole amount is the measure.
    left = charge["amount"] - charge["amount_refunded"]
    _check(charge, amount, left)
    card = cards.CARDS[charge["_number"]]
    clock = charge["_clock"]
    refund = tx.new(
        KIND,
        clock=clock,
        amount=left if amount is None else amount,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={"type": "card", "card": _destination()},
        metadata=merged_metadata(None, metadata or {}),
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="pending" if card.refund == "pending" else "succeeded",
        _clock=clock,
    )
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
    refund["balance_transaction"] = _record(tx, refund, -refund["amount"], "refund")
    tx.emit("charge.refunded", charge)
    tx.emit("refund.created", refund)
    if card.refund is not None:
        due = tx.now(clock) + WAIT_SECONDS
        tx.schedule(due, f"refund.{card.refund}", refund["id"], clock)
    return refund


def _check(charge: Object, amount: int | None, left: int) -> None:
    if charge["status"] != "succeeded":
        raise invalid(
            f"Charge {charge['id']} has not succeeded, so there is nothing to refund.",
            code="charge_not_refundable",
        )
    if charge["disputed"]:
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if not charge["captured"]:
        raise invalid(
            f"Charge {charge['id']} has not been captured. Cancel its PaymentIntent instead.",
            code="charge_not_refundable",
        )
    if left <= 0:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount is not None and amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            param="amount",
            code="parameter_invalid_integer",
        )
    if amount is not None and amount > left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            param="amount",
        )


def _destination() -> Object:
    return {"reference_status": "pending", "reference_type": "acquirer_reference_number",
            "type": "refund"}  # fmt: skip


def _record(tx: Transaction, refund: Object, amount: int, type_: str) -> str:
    made = balance.record(
        tx, type_, amount, refund["currency"], refund["id"], clock=refund["_clock"],
        is_available=True, description="REFUND FOR CHARGE",
    )  # fmt: skip
    return str(made["id"])


@timer("refund.pending")
def finish(tx: Transaction, id_: str) -> None:
    """Let a bank accept a refund after all."""
    refund = tx.get(KIND, id_)
    refund["status"] = "succeeded"
    tx.emit("refund.updated", refund)
    tx.emit("charge.refund.updated", refund)


@timer("refund.failed")
def bounce(tx: Transaction, id_: str) -> None:
    """Let a bank send the money back to us: the charge is no longer refunded."""
    refund = tx.get(KIND, id_)
    charge = tx.get("charge", refund["charge"])
    refund.update(status="failed", failure_reason="expired_or_canceled_card")
    refund["failure_balance_transaction"] = _record(tx, refund, refund["amount"], "refund_failure")
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    tx.emit("refund.failed", refund)
    tx.emit("refund.updated", refund)
    tx.emit("charge.refund.updated", refund)


@route("POST", "/v1/refunds")
def create(call: Call) -> Object:
    """Refund a charge, or what an intent was paid with."""
    return _refund(call, _charge(call))


@route("POST", "/v1/charges/{charge}/refunds")
def create_of_charge(call: Call) -> Object:
    """Refund a charge."""
    return _refund(call, call.tx.get("charge", call.path["charge"]))


@route("POST", "/v1/charges/{charge}/refund")
def refund_charge(call: Call) -> Object:
    """Refund a charge, and return the charge."""
    charge = call.tx.get("charge", call.path["charge"])
    _refund(call, charge)
    return charge


@route("GET", "/v1/refunds")
def index(call: Call) -> Object:
    """List refunds."""
    return call.page(KIND, match=("charge", "payment_intent"))


@route("GET", "/v1/charges/{charge}/refunds")
def index_of_charge(call: Call) -> Object:
    """List a charge's refunds."""
    charge = call.tx.get("charge", call.path["charge"])
    return call.page(KIND, where={"charge": charge["id"]})


@route("GET", "/v1/refunds/{refund}")
def read(call: Call) -> Object:
    """Return a refund."""
    return call.tx.get(KIND, call.path["refund"])


@route("GET", "/v1/charges/{charge}/refunds/{refund}")
def read_of_charge(call: Call) -> Object:
    """Return one of a charge's refunds."""
    refund = call.tx.get(KIND, call.path["refund"])
    if refund["charge"] != call.path["charge"]:
        raise no_such(KIND, call.path["refund"])
    return refund


@route("POST", "/v1/refunds/{refund}")
def update(call: Call) -> Object:
    """Change a refund's metadata."""
    refund = call.tx.get(KIND, call.path["refund"])
    if "metadata" in call.params:
        refund["metadata"] = merged_metadata(refund["metadata"], call["metadata"])
    call.tx.emit("refund.updated", refund)
    call.tx.emit("charge.refund.updated", refund)
    return refund


@route("POST", "/v1/refunds/{refund}/cancel")
def cancel(call: Call) -> Object:
    """Refuse: only refunds that wait for the customer may be canceled, and cards never do."""
    refund = call.tx.get(KIND, call.path["refund"])
    raise invalid(f"You cannot cancel a refund with a status of {refund['status']}.")


def _charge(call: Call) -> Object:
    tx = call.tx
    charge = call.get("charge")
    if charge is not None:
        return tx.get("charge", charge, "charge")
    if call.get("payment_intent") is None:
        raise missing("payment_intent")
    intent = tx.get("payment_intent", call["payment_intent"], "payment_intent")
    if intent["latest_charge"] is None:
        raise _nothing(intent)
    charge = tx.get("charge", intent["latest_charge"])
    if charge["status"] != "succeeded":
        raise _nothing(intent)
    return charge


def _nothing(intent: Object) -> StripeError:
    return invalid(
        f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
        param="payment_intent",
    )


def _refund(call: Call, charge: Object) -> Object:
    return make(
        call.tx,
        charge,
        call.get("amount"),
        reason=call.get("reason"),
        metadata=call.get("metadata"),
    )
