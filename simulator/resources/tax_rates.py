"""Tax rates: percentages that somebody entered, inside of an amount or on top of it."""

from decimal import Decimal

from simulator.arithmetic.taxation import Rate
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object

KIND = "tax_rate"
WORDS = ("country", "description", "display_name", "jurisdiction", "state", "tax_type")


def check(tx: Transaction, ids: list[str] | None, param: str) -> list[str]:
    """
    Return the ids if each is a rate that may still be used.

    :raises StripeError: if one is not there, or was archived.
    """
    for number, id_ in enumerate(ids or ()):
        if not tx.get(KIND, id_, f"{param}[{number}]")["active"]:
            raise invalid(
                f"The tax rate {id_} is archived: it cannot be added to anything new.",
                param=f"{param}[{number}]",
            )
    return list(ids or ())


def rates(tx: Transaction, ids: list[str]) -> list[Rate]:
    """Return rates for reckoning."""
    found = [tx.get(KIND, id_, "tax_rates") for id_ in ids]
    return [Rate(row["id"], Decimal(str(row["percentage"])), row["inclusive"]) for row in found]


@route("POST", "/v1/tax_rates")
def create(call: Call) -> Object:
    """Make a tax rate."""
    if not 0 <= call["percentage"] <= 100:
        raise invalid("Percentage must be between 0 and 100.", param="percentage")
    rate = call.tx.new(
        KIND,
        active=call.get("active", True),
        inclusive=call["inclusive"],
        percentage=call["percentage"],
        effective_percentage=call["percentage"],
        rate_type="percentage",
        metadata=merged_metadata(None, call.get("metadata")),
    )
    rate.update(call.only(*WORDS))
    call.tx.emit("tax_rate.created", rate)
    return rate


@route("GET", "/v1/tax_rates")
def index(call: Call) -> Object:
    """List tax rates."""
    return call.page(KIND, match=("active", "inclusive"))


@route("GET", "/v1/tax_rates/{tax_rate}")
def read(call: Call) -> Object:
    """Return a tax rate."""
    return call.tx.get(KIND, call.path["tax_rate"])


@route("POST", "/v1/tax_rates/{tax_rate}")
def update(call: Call) -> Object:
    """Change the words of a tax rate, or archive it; its percentage stays for ever."""
    rate = call.tx.get(KIND, call.path["tax_rate"])
    rate.update(call.only("active", *WORDS))
    if "metadata" in call.params:
        rate["metadata"] = merged_metadata(rate["metadata"], call["metadata"])
    call.tx.emit("tax_rate.updated", rate)
    return rate
