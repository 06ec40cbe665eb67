"""What a subscription is for: prices and how many of each."""

from simulator.core.call import Call
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World
from simulator.resources.subscriptions import changes as subscription_changes
from simulator.resources.subscriptions.state import ITEM as KIND
from simulator.resources.subscriptions.state import items_of

ONE = (
    "billing_thresholds",
    "discounts",
    "metadata",
    "price",
    "price_data",
    "quantity",
    "tax_rates",
)
HOW = ("off_session", "payment_behavior", "proration_behavior", "proration_date")


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Put price and tax rates in."""
    price = world.store.find("price", body["price"])
    body["price"] = world.public(price) if price is not None else None
    rates = [world.store.find("tax_rate", id_) for id_ in body["tax_rates"]]
    body["tax_rates"] = [world.public(row) for row in rates if row is not None]


@route("POST", "/v1/subscription_items")
def create(call: Call) -> Object:
    """Add an item to a subscription."""
    tx = call.tx
    subscription = tx.get("subscription", call["subscription"], "subscription")
    before = {item["id"] for item in items_of(tx, subscription)}
    given = {"items": [call.only(*ONE)], **call.only(*HOW)}
    subscription_changes.change(tx, subscription, given)
    made = [item for item in items_of(tx, subscription) if item["id"] not in before]
    if not made:
        raise invalid("The item waits until its invoice is paid.", param="payment_behavior")
    return made[-1]


@route("GET", "/v1/subscription_items")
def index(call: Call) -> Object:
    """List a subscription's items."""
    call.tx.get("subscription", call["subscription"], "subscription")
    return call.page(KIND, match=("subscription",))


@route("GET", "/v1/subscription_items/{item}")
def read(call: Call) -> Object:
    """Return an item."""
    return call.tx.get(KIND, call.path["item"])


@route("POST", "/v1/subscription_items/{item}")
def update(call: Call) -> Object:
    """Change an item's price or quantity."""
    tx = call.tx
    item = tx.get(KIND, call.path["item"])
    subscription = tx.get("subscription", item["subscription"])
    given = {"items": [{"id": item["id"], **call.only(*ONE)}], **call.only(*HOW)}
    subscription_changes.change(tx, subscription, given)
    return item


@route("DELETE", "/v1/subscription_items/{item}")
def delete(call: Call) -> Object:
    """Take an item out of a subscription; the last one stays."""
    tx = call.tx
    item = tx.get(KIND, call.path["item"])
    subscription = tx.get("subscription", item["subscription"])
    call.get("clear_usage")  # there is no usage to clear: meters are not simulated
    given = {"items": [{"id": item["id"], "deleted": True}], **call.only(*HOW)}
    subscription_changes.change(tx, subscription, given)
    return {"id": item["id"], "object": KIND, "deleted": True}
