"""What a customer has to their credit (below zero) or owes (above), and why."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, no_such
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object

KIND = "customer_balance_transaction"


def move(
    tx: Transaction, customer: Object, amount: int, currency: str, type_: str, **fields: object
) -> Object:
    """
    Add an amount to a customer's balance, and note why.

    :raises StripeError: if the customer's balance is in another currency.
    """
    if customer["currency"] not in (None, currency):
        raise invalid(
            f"The customer's balance is in {customer['currency']}, not in {currency}.",
            param="currency",
        )
    customer["currency"] = currency
    customer["balance"] += amount
    moved = tx.new(
        KIND,
        clock=customer["test_clock"],
        amount=amount,
        currency=currency,
        customer=customer["id"],
        ending_balance=customer["balance"],
        type=type_,
    )
    moved.update(fields)
    return moved


@route("POST", "/v1/customers/{customer}/balance_transactions")
def create(call: Call) -> Object:
    """Adjust a customer's balance."""
    customer = call.tx.get("customer", call.path["customer"])
    moved = move(
        call.tx,
        customer,
        call["amount"],
        call["currency"].lower(),
        "adjustment",
        description=call.get("description"),
        metadata=merged_metadata(None, call.get("metadata", {})),
    )
    call.tx.emit("customer.updated", customer)
    call.tx.emit("customer_balance_transaction.created", moved)
    return moved


@route("GET", "/v1/customers/{customer}/balance_transactions")
def index(call: Call) -> Object:
    """List what moved a customer's balance."""
    customer = call.tx.get("customer", call.path["customer"])
    return call.page(KIND, match=("invoice",), where={"customer": customer["id"]})


@route("GET", "/v1/customers/{customer}/balance_transactions/{transaction}")
def read(call: Call) -> Object:
    """Return one movement of a customer's balance."""
    return _of_customer(call)


@route("POST", "/v1/customers/{customer}/balance_transactions/{transaction}")
def update(call: Call) -> Object:
    """Change the words of a movement, not its amount."""
    moved = _of_customer(call)
    moved.update(call.only("description"))
    if "metadata" in call.params:
        moved["metadata"] = merged_metadata(moved["metadata"], call["metadata"])
    call.tx.emit("customer_balance_transaction.updated", moved)
    return moved


def _of_customer(call: Call) -> Object:
    moved = call.tx.get(KIND, call.path["transaction"])
    if moved["customer"] != call.path["customer"]:
        raise no_such(KIND, call.path["transaction"])
    return moved
