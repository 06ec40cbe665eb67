"""Coupons: what is taken off, and for how long."""

from typing import Any

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid, no_such
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import includable, view
from simulator.core.world import World

KIND = "coupon"


def find(tx: Transaction, id_: str, param: str = "coupon") -> Object:
    """
    Return a coupon. One that was deleted lives on in its discounts alone.

    :raises StripeError: if it is not there.
    """
    coupon = tx.get(KIND, id_, param)
    if coupon.get("_is_deleted"):
        raise no_such(KIND, id_, param)
    return coupon


def redeem(tx: Transaction, coupon: Object, now: int, param: str) -> None:
    """
    Count a coupon's use.

    :raises StripeError: if it may be used no more.
    """
    if not is_valid(coupon, now):
        raise invalid(f"Coupon expired: {coupon['id']}", param=param, code="coupon_expired")
    coupon["times_redeemed"] += 1


def is_valid(coupon: Object, now: int) -> bool:
    """Say whether a coupon may still be redeemed."""
    if coupon["redeem_by"] is not None and now > coupon["redeem_by"]:
        return False
    most = coupon["max_redemptions"]
    return most is None or coupon["times_redeemed"] < most


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Say whether it is still valid."""
    body["valid"] = is_valid(body, world.now())


@includable(KIND, "applies_to")
def applies_to(world: World, body: Object) -> Any:
    """Return the products to which a coupon is limited."""
    products = (world.store.find(KIND, body["id"]) or {}).get("_products")
    return {"products": list(products)} if products else None


@route("POST", "/v1/coupons")
def create(call: Call) -> Object:
    """Make a coupon."""
    tx = call.tx
    _check(call)
    id_ = call.get("id")
    old = tx.find(KIND, id_)
    if old is not None and not old.get("_is_deleted"):
        raise StripeError(
            400,
            "invalid_request_error",
            f"Coupon already exists: {id_}",
            code="resource_already_exists",
        )
    if old is not None:
        tx.remove(old)
    currency = call.get("currency")
    coupon = tx.new(
        KIND,
        id=id_,
        currency=currency.lower() if currency and call.get("amount_off") else None,
        duration=call.get("duration", "once"),
        valid=True,
        metadata=merged_metadata(None, call.get("metadata")),
        _products=call.get("applies_to", {}).get("products"),
        **call.only("amount_off", "duration_in_months", "max_redemptions", "percent_off"),
        **call.only("name", "redeem_by"),
    )
    tx.emit("coupon.created", coupon)
    return coupon


def _check(call: Call) -> None:
    """
    Refuse what is no coupon.

    :raises StripeError: with the parameter that is wrong.
    """
    amount, percent = call.get("amount_off"), call.get("percent_off")
    if (amount is None) == (percent is None):
        raise invalid("You must pass exactly one of percent_off or amount_off.")
    if percent is not None and not 0 < percent <= 100:
        raise invalid("Invalid percent_off: must be over 0 and at most 100.", param="percent_off")
    if amount is not None and amount < 1:
        raise invalid("Invalid positive integer", param="amount_off")
    if amount is not None and call.get("currency") is None:
        raise invalid("You must pass currency when passing amount_off.", param="currency")
    is_repeating = call.get("duration") == "repeating"
    if is_repeating != ("duration_in_months" in call.params):
        raise invalid(
            "You must pass duration_in_months if duration is repeating, and only then.",
            param="duration_in_months",
        )


@route("GET", "/v1/coupons")
def index(call: Call) -> Object:
    """List coupons."""
    return call.page(KIND, keep=lambda coupon: not coupon.get("_is_deleted"))


@route("GET", "/v1/coupons/{coupon}")
def read(call: Call) -> Object:
    """Return a coupon."""
    return find(call.tx, call.path["coupon"], "id")


@route("POST", "/v1/coupons/{coupon}")
def update(call: Call) -> Object:
    """Change a coupon's words; what it takes off is fixed."""
    coupon = find(call.tx, call.path["coupon"], "id")
    coupon.update(call.only("name"))
    if "metadata" in call.params:
        coupon["metadata"] = merged_metadata(coupon["metadata"], call["metadata"])
    call.tx.emit("coupon.updated", coupon)
    return coupon


@route("DELETE", "/v1/coupons/{coupon}")
def delete(call: Call) -> Object:
    """Let nobody redeem a coupon any more; discounts that were given stay."""
    coupon = find(call.tx, call.path["coupon"], "id")
    call.tx.emit("coupon.deleted", coupon)
    coupon["_is_deleted"] = True
    return {"id": coupon["id"], "object": KIND, "deleted": True}
