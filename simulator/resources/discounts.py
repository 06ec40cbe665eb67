"""
Discounts: a coupon that was given to a customer, a subscription, an item or an invoice.

A discount that is over stays where it was used: invoices go on to refer to it.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from simulator.arithmetic.periods import shifted
from simulator.arithmetic.reductions import Reduction
from simulator.core.call import Call
from simulator.core.errors import StripeError, invalid, missing
from simulator.core.older import parameters as older
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World
from simulator.resources import coupons, promotion_codes
from simulator.resources.customers import ON_CREATE, ON_UPDATE

KIND = "discount"

for address in ("/v1/customers", "/v1/customers/{customer}"):
    older.accept("POST", address, "coupon", older.UNSETTABLE)
    older.accept("POST", address, "promotion_code", older.UNSETTABLE)


def give(tx: Transaction, given: Object, param: str, *, currency: str | None, **to: Any) -> Object:
    """
    Make a discount of `{coupon}`, `{promotion_code}` or an earlier `{discount}`.

    `to` says whose it is: `customer`, and `subscription`, `subscription_item`, `invoice` or
    `invoice_item`.

    :raises StripeError: if it cannot be redeemed, or is in another currency.
    """
    if given.get("discount"):
        return tx.get(KIND, given["discount"], f"{param}[discount]")
    clock = tx.clock_of(to.get("customer"))
    now = tx.now(clock)
    coupon = _coupon(tx, given, param, to.get("customer"))
    if currency and coupon["amount_off"] is not None and coupon["currency"] != currency:
        raise invalid(
            f"The coupon {coupon['id']} is in {coupon['currency']}, so it cannot be applied in "
            f"{currency}.",
            param=param,
        )
    coupons.redeem(tx, coupon, now, param)
    months = coupon["duration_in_months"]
    return tx.new(
        KIND,
        source={"type": "coupon", "coupon": coupon["id"]},
        promotion_code=given.get("promotion_code"),
        start=now,
        end=shifted(now, "month", months) if months else None,
        **to,
    )


def _coupon(tx: Transaction, given: Object, param: str, customer: str | None) -> Object:
    if given.get("coupon"):
        return coupons.find(tx, given["coupon"], f"{param}[coupon]")
    if given.get("promotion_code"):
        name = f"{param}[promotion_code]"
        return promotion_codes.redeem(tx, given["promotion_code"], customer, name)
    raise missing(f"{param}[coupon]")


def give_all(
    tx: Transaction, given: list[Object] | None, param: str = "discounts", **to: Any
) -> list[str]:
    """Make discounts of a list of parameters; return their ids."""
    pairs = enumerate(given or ())
    return [str(give(tx, one, f"{param}[{number}]", **to)["id"]) for number, one in pairs]


def reductions(tx: Transaction, ids: Iterable[str], at: int) -> list[Reduction]:
    """Return what discounts take off at a moment."""
    return [_reduction(tx, id_) for id_ in ids if is_live(tx.get(KIND, id_), at)]


def _reduction(tx: Transaction, id_: str) -> Reduction:
    coupon = tx.get(coupons.KIND, tx.get(KIND, id_)["source"]["coupon"])
    percent = coupon["percent_off"]
    products = coupon["_products"]
    return Reduction(
        id=id_,
        percent=None if percent is None else Decimal(str(percent)),
        amount=coupon["amount_off"] or 0,
        products=frozenset(products) if products else None,
    )


def is_live(discount: Object, at: int) -> bool:
    """Say whether a discount has not come to its end."""
    return not discount.get("_is_over") and (discount["end"] is None or at < discount["end"])


def is_once(tx: Transaction, id_: str) -> bool:
    """Say whether a discount is for one invoice only."""
    coupon = tx.get(coupons.KIND, tx.get(KIND, id_)["source"]["coupon"])
    return bool(coupon["duration"] == "once")


def give_to_customer(tx: Transaction, customer: Object, given: Object | None) -> None:
    """Give a customer a discount in the place of the one they have, or take that away."""
    old = tx.find(KIND, customer["discount"])
    if given is None:
        if old is not None:
            take_from_customer(tx, customer, old)
        return
    new = give(tx, given, "discount", currency=customer["currency"], customer=customer["id"])
    customer["discount"] = new["id"]
    if old is None:
        tx.emit("customer.discount.created", new)
        return
    old["_is_over"] = True
    # Told as a change, though the new discount has an id of its own.
    tx.emit("customer.discount.updated", new, earlier=tx.public(old))


def take_from_customer(tx: Transaction, customer: Object, discount: Object) -> Object:
    """End a customer's discount; return what Stripe answers about it."""
    customer["discount"] = None
    return end(tx, discount)


def end(tx: Transaction, discount: Object) -> Object:
    """End a discount and tell of it; return what Stripe answers."""
    discount["_is_over"] = True
    discount["end"] = tx.now(tx.clock_of(discount["customer"]))
    tx.emit("customer.discount.deleted", discount)
    body = tx.public(discount)
    return {name: value for name, value in body.items() if name != "end"} | {"deleted": True}


@view("customer")
def complete(world: World, body: Object) -> None:
    """Put the customer's discount in."""
    row = world.store.find(KIND, body["discount"]) if body.get("discount") else None
    body["discount"] = world.public(row) if row is not None else None


@route("GET", "/v1/customers/{customer}/discount")
def read(call: Call) -> Object:
    """Return a customer's discount."""
    return _of_customer(call, call.tx.get("customer", call.path["customer"]))


@route("DELETE", "/v1/customers/{customer}/discount")
def delete(call: Call) -> Object:
    """Take a customer's discount away."""
    customer = call.tx.get("customer", call.path["customer"])
    return take_from_customer(call.tx, customer, _of_customer(call, customer))


def _of_customer(call: Call, customer: Object) -> Object:
    discount = call.tx.find(KIND, customer["discount"])
    if discount is None:
        raise none(f"No active discount for customer: {customer['id']}")
    return discount


def none(message: str) -> StripeError:
    """Return the 404 for an owner that has no discount."""
    return StripeError(404, "invalid_request_error", message, code="resource_missing")


def _follow(call: Call, customer: Object) -> None:
    """Follow `coupon` and `promotion_code` of customers, as older versions had them."""
    for name in ("coupon", "promotion_code"):
        if name in call.params:
            value = call[name]
            give_to_customer(call.tx, customer, {name: value} if value else None)


ON_CREATE.append(_follow)
ON_UPDATE.append(_follow)
