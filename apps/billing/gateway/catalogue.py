"""
Products and prices at Stripe: one of each for each of ours, found again by our own ids.

A product has the public id of our plan or pack as its own, and a price has the public id of
our version as its lookup key. So there is never a second one, also when Stripe has long
forgotten an idempotency key.
"""

from typing import Any

from apps.billing.errors import StripeRefused
from apps.billing.gateway.client import Json, ask
from apps.billing.gateway.objects import retrieve

MISSING = "resource_missing"
EXISTS = "resource_already_exists"


def find(kind: str, object_id: str) -> Json | None:
    """Return a `product` or a `price` as Stripe has it, or None if it has none."""
    try:
        found = retrieve(kind, object_id)
    except StripeRefused as refusal:
        if refusal.details["stripe_code"] == MISSING:
            return None
        raise
    return None if found.get("deleted") else found


def save_product(product_id: str, params: Json) -> Json:
    """Make a product with this id, or let it be as `params` say if Stripe has it already."""
    try:
        return _update_product(product_id, params)
    except StripeRefused as refusal:
        if refusal.details["stripe_code"] != MISSING:
            raise
    try:
        return _create_product(product_id, params)
    except StripeRefused as refusal:  # somebody else made it since
        if refusal.details["stripe_code"] != EXISTS:
            raise
    return _update_product(product_id, params)


def save_price(version_id: str, params: Json) -> Json:
    """Return the price with this lookup key, made with `params` if Stripe has none."""
    wanted = {"lookup_keys": [version_id], "limit": 1}
    found = ask(lambda stripe, options: stripe.prices.list(wanted, options))["data"]
    if found:
        price: Json = found[0]
        return price
    made = {**params, "lookup_key": version_id}
    return ask(lambda stripe, options: stripe.prices.create(made, options), key=version_id)


def offer_price(price_id: str) -> None:
    """Take a price out of the archive, if Stripe has it at all."""
    try:
        ask(lambda stripe, options: stripe.prices.update(price_id, {"active": True}, options))
    except StripeRefused as refusal:
        if refusal.details["stripe_code"] != MISSING:
            raise


def _update_product(product_id: str, params: Json) -> Json:
    return ask(lambda stripe, options: stripe.products.update(product_id, params, options))


def _create_product(product_id: str, params: Json) -> Json:
    made = {name: value for name, value in params.items() if value != ""} | {"id": product_id}

    # Its id is what keeps it from being made twice: a key would remember an older name.
    def question(stripe: Any, options: Any) -> Any:
        return stripe.products.create(made, options)

    return ask(question)
