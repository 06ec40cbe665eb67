"""Promotion codes: the words that customers type for a coupon, and who may."""

import secrets
import string

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid, missing
from simulator.core.older import parameters as older
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World
from simulator.resources import coupons

KIND = "promotion_code"
LETTERS = string.ascii_uppercase + string.digits

older.accept("POST", "/v1/promotion_codes", "coupon", older.TEXT)
older.release("POST", "/v1/promotion_codes", "promotion")


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Say whether it is still active: neither expired nor used up, nor its coupon."""
    coupon = world.store.find(coupons.KIND, body["promotion"]["coupon"])
    is_valid = coupon is None or coupons.is_valid(coupon, world.now())
    body["active"] = body["active"] and is_valid and not _is_over(body, world.now())


def _is_over(code: Object, now: int) -> bool:
    most = code["max_redemptions"]
    if most is not None and code["times_redeemed"] >= most:
        return True
    return code["expires_at"] is not None and now > code["expires_at"]


def redeem(
    tx: Transaction, id_: str, customer: str | None, param: str, amount: int | None = None
) -> Object:
    """
    Count the use of a code; return its coupon.

    `amount` is what the customer buys, if it is known.

    :raises StripeError: if it is not for this customer, or no longer for anybody.
    """
    code = tx.get(KIND, id_, param)
    if not code["active"] or _is_over(code, tx.now(tx.clock_of(customer))):
        raise _refused(param, "it has expired, was used up or is not active")
    if code["customer"] not in (None, customer):
        raise _refused(param, "it is not for this customer")
    rules = code["restrictions"]
    if rules["first_time_transaction"] and _has_paid(tx, customer):
        raise _refused(param, "the customer has prior transactions")
    least = rules["minimum_amount"]
    if least is not None and amount is not None and amount < least:
        raise _refused(param, f"the minimum amount of {least} is not reached")
    code["times_redeemed"] += 1
    return coupons.find(tx, code["promotion"]["coupon"], param)


def _refused(param: str, reason: str) -> StripeError:
    return invalid(
        f"This promotion code cannot be redeemed because {reason}.",
        param=param,
        code="promotion_code_not_redeemable",
    )


def _has_paid(tx: Transaction, customer: str | None) -> bool:
    if customer is None:
        return False
    return any(charge["paid"] for charge in tx.where("charge", customer=customer))


@route("POST", "/v1/promotion_codes")
def create(call: Call) -> Object:
    """Make a promotion code."""
    tx = call.tx
    coupon = call.get("promotion", {}).get("coupon") or call.get("coupon")
    if coupon is None:
        raise missing("promotion[coupon]")
    coupons.find(tx, coupon, "promotion[coupon]")
    customer = call.get("customer")
    if customer is not None:
        tx.get("customer", customer, "customer")
    text = call.get("code") or "".join(secrets.choice(LETTERS) for _ in range(8))
    _check_free(tx, text, customer)
    code = tx.new(
        KIND,
        active=call.get("active", True),
        code=text,
        customer=customer,
        metadata=merged_metadata(None, call.get("metadata")),
        promotion={"type": "coupon", "coupon": coupon},
        restrictions=_restrictions(call),
        **call.only("expires_at", "max_redemptions"),
    )
    tx.emit("promotion_code.created", code)
    return code


def _restrictions(call: Call) -> Object:
    given = call.get("restrictions", {})
    currency = given.get("minimum_amount_currency")
    if (given.get("minimum_amount") is None) != (currency is None):
        raise missing("restrictions[minimum_amount_currency]")
    return {
        "first_time_transaction": given.get("first_time_transaction", False),
        "minimum_amount": given.get("minimum_amount"),
        "minimum_amount_currency": currency.lower() if currency else None,
    }


def _check_free(tx: Transaction, text: str, customer: str | None) -> None:
    for other in tx.where(KIND, active=True):
        same = other["code"].lower() == text.lower()
        if same and customer in (None, other["customer"]) and not _is_over(other, tx.now()):
            raise invalid(
                f"An active promotion code with `code: {text}` already exists.", param="code"
            )


@route("GET", "/v1/promotion_codes")
def index(call: Call) -> Object:
    """List promotion codes."""
    coupon, text, active = call.get("coupon"), call.get("code"), call.params.get("active")

    def keep(code: Object) -> bool:
        if coupon is not None and code["promotion"]["coupon"] != coupon:
            return False
        if active is not None and call.tx.public(code)["active"] != active:
            return False
        return text is None or code["code"].lower() == text.lower()

    return call.page(KIND, match=("customer",), keep=keep)


@route("GET", "/v1/promotion_codes/{promotion_code}")
def read(call: Call) -> Object:
    """Return a promotion code."""
    return call.tx.get(KIND, call.path["promotion_code"])


@route("POST", "/v1/promotion_codes/{promotion_code}")
def update(call: Call) -> Object:
    """Switch a promotion code on or off, or change its metadata."""
    code = call.tx.get(KIND, call.path["promotion_code"])
    if call.get("active") and not coupons.is_valid(
        call.tx.get(coupons.KIND, code["promotion"]["coupon"]), call.tx.now()
    ):
        raise invalid("This promotion code's coupon is no longer valid.", param="active")
    code.update(call.only("active"))
    if "metadata" in call.params:
        code["metadata"] = merged_metadata(code["metadata"], call["metadata"])
    call.tx.emit("promotion_code.updated", code)
    return code
