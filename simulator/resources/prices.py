"""Prices: once or again and again, by the unit or in tiers."""

from typing import Any

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object, copy
from simulator.core.views import includable
from simulator.core.world import World
from simulator.resources.catalogue import LABELS, make_price

KIND = "price"
SEARCHED = ("active", "currency", "lookup_key", "product", "type")


@includable(KIND, "tiers")
def tiers(world: World, body: Object) -> Any:
    """Return a price's tiers."""
    return copy((world.store.find(KIND, body["id"]) or {}).get("_tiers"))


@includable(KIND, "currency_options")
def currency_options(world: World, body: Object) -> Object:
    """Return what a price is in each currency."""
    options: Object = copy((world.store.find(KIND, body["id"]) or {})["_currency_options"])
    return options


@route("POST", "/v1/prices")
def create(call: Call) -> Object:
    """Make a price."""
    key = call.get("lookup_key")
    _free_lookup_key(call.tx, key, is_moved=bool(call.get("transfer_lookup_key")))
    return make_price(call.tx, call.params)


@route("GET", "/v1/prices")
def index(call: Call) -> Object:
    """List prices."""
    keys, recurring = call.get("lookup_keys"), call.get("recurring", {})

    def keep(price: Object) -> bool:
        if keys is not None and price["lookup_key"] not in keys:
            return False
        found = price["recurring"] or {}
        return all(found.get(name) == value for name, value in recurring.items())

    return call.page(KIND, match=("active", "currency", "product", "type"), keep=keep)


@route("GET", "/v1/prices/search")
def search(call: Call) -> Object:
    """Search prices."""
    return call.search(KIND, SEARCHED)


@route("GET", "/v1/prices/{price}")
def read(call: Call) -> Object:
    """Return a price."""
    return call.tx.get(KIND, call.path["price"])


@route("POST", "/v1/prices/{price}")
def update(call: Call) -> Object:
    """Change anything but the amount: that is what another price is for."""
    price = call.tx.get(KIND, call.path["price"])
    if "lookup_key" in call.params and call["lookup_key"] != price["lookup_key"]:
        moved = bool(call.get("transfer_lookup_key"))
        _free_lookup_key(call.tx, call["lookup_key"], is_moved=moved)
    price.update(call.only("active", *LABELS))
    if "metadata" in call.params:
        price["metadata"] = merged_metadata(price["metadata"], call["metadata"])
    call.tx.emit("price.updated", price)
    return price


def _free_lookup_key(tx: Transaction, key: str | None, *, is_moved: bool) -> None:
    """
    Take a lookup key from the price that has it.

    :raises StripeError: if it is not said that the key may be moved.
    """
    for other in tx.where(KIND, lookup_key=key) if key else ():
        if not is_moved:
            raise invalid(
                f"A price (`{other['id']}`) already uses that lookup key.", param="lookup_key"
            )
        other["lookup_key"] = None
        tx.emit("price.updated", other)
