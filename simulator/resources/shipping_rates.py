"""Shipping rates: what it costs to send something."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import missing
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object

KIND = "shipping_rate"


def make(tx: Transaction, given: Object) -> Object:
    """
    Make a shipping rate from what is given to create one, or from `shipping_rate_data`.

    :raises StripeError: if there is no amount.
    """
    fixed = given.get("fixed_amount")
    if fixed is None:
        raise missing("fixed_amount")
    options = {
        currency: {"tax_behavior": "unspecified", **option}
        for currency, option in (fixed.get("currency_options") or {}).items()
    }
    amount = {"amount": fixed["amount"], "currency": fixed["currency"].lower()}
    return tx.new(
        KIND,
        active=True,
        delivery_estimate=_estimate(given.get("delivery_estimate")),
        display_name=given["display_name"],
        fixed_amount={**amount, "currency_options": options} if options else amount,
        metadata=merged_metadata(None, given.get("metadata")),
        tax_behavior=given.get("tax_behavior", "unspecified"),
        tax_code=given.get("tax_code"),
        type=given.get("type", "fixed_amount"),
    )


def _estimate(given: Object | None) -> Object | None:
    if given is None:
        return None
    return {"maximum": given.get("maximum"), "minimum": given.get("minimum")}


@route("POST", "/v1/shipping_rates")
def create(call: Call) -> Object:
    """Make a shipping rate."""
    return make(call.tx, call.params)


@route("GET", "/v1/shipping_rates")
def index(call: Call) -> Object:
    """List shipping rates."""
    currency = call.get("currency")
    return call.page(
        KIND,
        match=("active",),
        keep=lambda row: currency is None or row["fixed_amount"]["currency"] == currency,
    )


@route("GET", "/v1/shipping_rates/{shipping_rate_token}")
def read(call: Call) -> Object:
    """Return a shipping rate."""
    return call.tx.get(KIND, call.path["shipping_rate_token"])


@route("POST", "/v1/shipping_rates/{shipping_rate_token}")
def update(call: Call) -> Object:
    """Change what is not the amount."""
    rate = call.tx.get(KIND, call.path["shipping_rate_token"])
    rate.update(call.only("active", "tax_behavior"))
    if "metadata" in call.params:
        rate["metadata"] = merged_metadata(rate["metadata"], call["metadata"])
    return rate
