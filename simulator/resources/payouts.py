"""Money that leaves or enters the account: payouts to the bank, top-ups from it."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid
from simulator.core.routing import route
from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import balance

PAYOUT = "payout"
TOPUP = "topup"
DAY = 86_400


def check_available(tx: Transaction, amount: int, currency: str) -> None:
    """
    Say no to spending what is not there.

    :raises StripeError: if the available balance is less.
    """
    now = tx.now()
    rows = tx.world.store.kinds[balance.KIND].matching({"currency": currency})
    available = sum(row["net"] for row in rows if row["available_on"] <= now)
    if amount > available:
        raise StripeError(
            400,
            "invalid_request_error",
            "You have insufficient available funds in your Stripe account. Try adding funds "
            "directly to your available balance by creating Charges using the "
            "4000000000000077 test card.",
            code="balance_insufficient",
        )


@route("POST", "/v1/payouts")
def create_payout(call: Call) -> Object:
    """Send available money to the bank; it is there on the next day."""
    tx = call.tx
    amount, currency = call["amount"], call["currency"].lower()
    check_available(tx, amount, currency)
    payout = tx.new(
        PAYOUT,
        amount=amount,
        arrival_date=tx.now() + DAY,
        automatic=False,
        currency=currency,
        description=call.get("description"),
        metadata=merged_metadata(None, call.get("metadata")),
        method=call.get("method", "standard"),
        reconciliation_status="not_applicable",
        source_type=call.get("source_type", "card"),
        statement_descriptor=call.get("statement_descriptor"),
        status="pending",
    )
    payout["balance_transaction"] = balance.record(
        tx, "payout", -amount, currency, payout["id"], is_available=True
    )["id"]
    tx.schedule(payout["arrival_date"], "payout.arrive", payout["id"])
    tx.emit("payout.created", payout)
    return payout


@timer("payout.arrive")
def arrive(tx: Transaction, id_: str) -> None:
    """Let a payout reach the bank."""
    payout = tx.get(PAYOUT, id_)
    payout["status"] = "paid"
    tx.emit("payout.paid", payout)


@route("GET", "/v1/payouts")
def payouts(call: Call) -> Object:
    """List payouts."""
    return call.page(PAYOUT, match=("destination", "status"))


@route("GET", "/v1/payouts/{payout}")
def payout(call: Call) -> Object:
    """Return a payout."""
    return call.tx.get(PAYOUT, call.path["payout"])


@route("POST", "/v1/payouts/{payout}")
def update_payout(call: Call) -> Object:
    """Change a payout's metadata."""
    return _relabel(call, call.tx.get(PAYOUT, call.path["payout"]))


@route("POST", "/v1/payouts/{payout}/cancel")
def cancel_payout(call: Call) -> Object:
    """Stop a payout that has not left yet."""
    tx = call.tx
    payout = tx.get(PAYOUT, call.path["payout"])
    if payout["status"] != "pending":
        raise invalid(f"Payouts with a status of {payout['status']} cannot be canceled.")
    tx.unschedule(payout["id"])
    payout["status"] = "canceled"
    payout["failure_balance_transaction"] = balance.record(
        tx,
        "payout_cancel",
        payout["amount"],
        payout["currency"],
        payout["id"],
        is_available=True,
        category="payout_reversal",
    )["id"]
    tx.emit("payout.canceled", payout)
    return payout


@route("POST", "/v1/topups")
def create_topup(call: Call) -> Object:
    """Take money from the bank, which is there at once."""
    tx = call.tx
    amount, currency = call["amount"], call["currency"].lower()
    topup = tx.new(
        TOPUP,
        amount=amount,
        currency=currency,
        description=call.get("description"),
        metadata=merged_metadata(None, call.get("metadata")),
        statement_descriptor=call.get("statement_descriptor"),
        status="pending",
        transfer_group=call.get("transfer_group"),
    )
    tx.emit("topup.created", topup)
    topup["status"] = "succeeded"
    topup["balance_transaction"] = balance.record(
        tx, "topup", amount, currency, topup["id"], is_available=True
    )["id"]
    tx.emit("topup.succeeded", topup)
    return topup


@route("GET", "/v1/topups")
def topups(call: Call) -> Object:
    """List top-ups."""
    return call.page(TOPUP, match=("status",))


@route("GET", "/v1/topups/{topup}")
def topup(call: Call) -> Object:
    """Return a top-up."""
    return call.tx.get(TOPUP, call.path["topup"])


@route("POST", "/v1/topups/{topup}")
def update_topup(call: Call) -> Object:
    """Change a top-up's description or metadata."""
    topup = call.tx.get(TOPUP, call.path["topup"])
    topup.update(call.only("description"))
    return _relabel(call, topup)


def _relabel(call: Call, row: Object) -> Object:
    if "metadata" in call.params:
        row["metadata"] = merged_metadata(row["metadata"], call["metadata"])
    call.tx.emit(f"{row['object']}.updated", row)
    return row
