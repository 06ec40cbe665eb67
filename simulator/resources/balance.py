"""What came in and went out: balance transactions, and the balance that they add up to."""

from collections import Counter

from simulator.core.call import Call
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World

KIND = "balance_transaction"
DAY = 86_400
PENDING_DAYS = 2
FIXED_FEE = 30
FEE_PER_MILLE = 29


def record(
    tx: Transaction,
    type_: str,
    amount: int,
    currency: str,
    source: str,
    *,
    fee: int = 0,
    clock: str | None = None,
    is_available: bool = False,
    description: str | None = None,
    category: str | None = None,
) -> Object:
    """Record an amount in or out (below zero), of which Stripe keeps the fee."""
    wait = 0 if is_available else PENDING_DAYS * DAY
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    made = tx.new(
        KIND,
        clock=clock,
        type=type_,
        reporting_category=category or type_,
        amount=amount,
        currency=currency,
        fee=fee,
        fee_details=details if fee else [],
        net=amount - fee,
        source=source,
        status="pending",
        balance_type="payments",
        available_on=tx.now(clock) + wait,
        description=description,
    )
    if is_available and type_ == "charge":
        tx.emit("balance.available", current(tx))
    return made


def fee_for(amount: int) -> int:
    """Return what Stripe keeps of a card payment: 2.9 per cent and 30 cents, to the cent."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FIXED_FEE


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Let money become available when its time has come."""
    if body["available_on"] <= world.now():
        body["status"] = "available"


@route("GET", "/v1/balance_transactions")
def index(call: Call) -> Object:
    """List balance transactions."""
    return call.page(KIND, match=("currency", "source", "type"))


@route("GET", "/v1/balance_transactions/{id}")
def read(call: Call) -> Object:
    """Return a balance transaction."""
    return call.tx.get(KIND, call.path["id"])


@route("GET", "/v1/balance")
def balance(call: Call) -> Object:
    """Add up what is available and what is pending, by currency."""
    return current(call.tx)


def current(tx: Transaction) -> Object:
    """Return the balance as it is now."""
    now = tx.now()
    sums: dict[str, Counter[str]] = {"available": Counter(), "pending": Counter()}
    for row in tx.world.store.kinds[KIND].rows.values():
        which = "available" if row["available_on"] <= now else "pending"
        sums[which][row["currency"]] += row["net"]
    if not sums["available"] and not sums["pending"]:
        sums["available"]["usd"] = 0
    for currency in set(sums["available"]) | set(sums["pending"]):
        for counted in sums.values():
            counted[currency] += 0
    return {
        "object": "balance",
        "livemode": False,
        **{
            name: [
                {"amount": amount, "currency": currency, "source_types": {"card": amount}}
                for currency, amount in sorted(counted.items())
            ]
            for name, counted in sums.items()
        },
    }
