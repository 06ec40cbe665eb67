"""Money for connected accounts: transfers and their reversals."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, missing
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.core.views import list_of, view
from simulator.core.world import World
from simulator.resources import balance
from simulator.resources.payouts import check_available

KIND = "transfer"
REVERSAL = "transfer_reversal"


@route("POST", "/v1/transfers")
def create(call: Call) -> Object:
    """Send available money to a connected account."""
    tx = call.tx
    if "amount" not in call.params:
        raise missing("amount")
    amount, currency = call["amount"], call["currency"].lower()
    destination = tx.get("account", call["destination"], "destination")
    source = call.get("source_transaction")
    if source is not None:
        tx.get("charge", source, "source_transaction")
    else:
        check_available(tx, amount, currency)
    transfer = tx.new(
        KIND,
        amount=amount,
        currency=currency,
        description=call.get("description"),
        destination=destination["id"],
        metadata=merged_metadata(None, call.get("metadata")),
        source_transaction=source,
        source_type=call.get("source_type", "card"),
        transfer_group=call.get("transfer_group"),
    )
    transfer["balance_transaction"] = balance.record(
        tx, "transfer", -amount, currency, transfer["id"], is_available=True
    )["id"]
    tx.emit("transfer.created", transfer)
    return transfer


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Embed the reversals."""
    found = world.store.kinds[REVERSAL].matching({"transfer": body["id"]})[::-1]
    url = f"/v1/transfers/{body['id']}/reversals"
    body["reversals"] = list_of([world.public(row) for row in found], url)


@route("GET", "/v1/transfers")
def index(call: Call) -> Object:
    """List transfers."""
    return call.page(KIND, match=("destination", "transfer_group"))


@route("GET", "/v1/transfers/{transfer}")
def read(call: Call) -> Object:
    """Return a transfer."""
    return call.tx.get(KIND, call.path["transfer"])


@route("POST", "/v1/transfers/{transfer}")
def update(call: Call) -> Object:
    """Change what does not touch the money."""
    transfer = call.tx.get(KIND, call.path["transfer"])
    transfer.update(call.only("description"))
    if "metadata" in call.params:
        transfer["metadata"] = merged_metadata(transfer["metadata"], call["metadata"])
    call.tx.emit("transfer.updated", transfer)
    return transfer


@route("POST", "/v1/transfers/{id}/reversals")
def reverse(call: Call) -> Object:
    """Take a transfer back, whole or in part, never more than was sent."""
    tx = call.tx
    transfer = tx.get(KIND, call.path["id"])
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = call.get("amount", left)
    if not 0 < amount <= left:
        raise invalid(
            f"Transfer reversal amount ({amount}) is greater than unreversed amount on transfer "
            f"({left}).",
            param="amount",
        )
    reversal = tx.new(
        REVERSAL,
        amount=amount,
        currency=transfer["currency"],
        metadata=merged_metadata(None, call.get("metadata")),
        transfer=transfer["id"],
    )
    reversal["balance_transaction"] = balance.record(
        tx, "transfer_refund", amount, transfer["currency"], reversal["id"], is_available=True,
        category="transfer_reversal",
    )["id"]  # fmt: skip
    transfer["amount_reversed"] += amount
    transfer["reversed"] = amount == left
    tx.emit("transfer.reversed", transfer)
    return reversal


@route("GET", "/v1/transfers/{id}/reversals")
def reversals(call: Call) -> Object:
    """List a transfer's reversals."""
    transfer = call.tx.get(KIND, call.path["id"])
    return call.page(REVERSAL, where={"transfer": transfer["id"]})
