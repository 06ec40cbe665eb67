"""Plans: the older name of recurring prices. Each has a price of the same id."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import missing
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.resources import catalogue

KIND = "plan"
OF_PRICE = ("active", "billing_scheme", "currency", "nickname", "product", "tiers_mode")


@route("POST", "/v1/plans")
def create(call: Call) -> Object:
    """Make a plan, and the price that it is."""
    tx = call.tx
    product = call.get("product")
    if product is None:
        raise missing("product")
    price = catalogue.make_price(tx, _as_price(call, product))
    recurring = price["recurring"]
    plan = tx.new(
        KIND,
        id=price["id"],
        **{name: price[name] for name in OF_PRICE},
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        metadata=price["metadata"],
        meter=recurring["meter"],
        trial_period_days=call.get("trial_period_days"),
        usage_type=recurring["usage_type"],
    )
    tx.emit("plan.created", plan)
    return plan


def _as_price(call: Call, product: object) -> Object:
    recurring = {
        "interval": call["interval"],
        "interval_count": call.get("interval_count", 1),
        "meter": call.get("meter"),
        "usage_type": call.get("usage_type", "licensed"),
    }
    amounts = {"unit_amount": call.get("amount"), "unit_amount_decimal": call.get("amount_decimal")}
    given = call.only("active", "billing_scheme", "currency", "nickname", "tiers", "tiers_mode")
    named = {"product_data": product} if isinstance(product, dict) else {"product": product}
    return {**given, **amounts, **named, "recurring": recurring, "metadata": call.get("metadata")}


@route("GET", "/v1/plans")
def index(call: Call) -> Object:
    """List plans."""
    return call.page(KIND, match=("active", "product"))


@route("GET", "/v1/plans/{plan}")
def read(call: Call) -> Object:
    """Return a plan."""
    return call.tx.get(KIND, call.path["plan"])


@route("POST", "/v1/plans/{plan}")
def update(call: Call) -> Object:
    """Change a plan's name, metadata or whether it is sold."""
    plan = call.tx.get(KIND, call.path["plan"])
    plan.update(call.only("active", "nickname", "trial_period_days"))
    if "metadata" in call.params:
        plan["metadata"] = merged_metadata(plan["metadata"], call["metadata"])
    price = call.tx.get("price", plan["id"])
    price.update(active=plan["active"], nickname=plan["nickname"], metadata=plan["metadata"])
    call.tx.emit("plan.updated", plan)
    return plan


@route("DELETE", "/v1/plans/{plan}")
def delete(call: Call) -> Object:
    """Delete a plan; who has subscribed to it keeps it."""
    plan = call.tx.get(KIND, call.path["plan"])
    call.tx.get("price", plan["id"])["active"] = False
    call.tx.emit("plan.deleted", plan)
    return call.tx.remove(plan)
