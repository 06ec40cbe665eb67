"""What a Checkout session sells: lines, discounts, taxes, shipping, and what they come to."""

from decimal import ROUND_HALF_UP, Decimal

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid, missing
from simulator.core.lists import limit_of
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import includable, list_of, view
from simulator.core.world import World
from simulator.resources import catalogue

KIND = "item"
SESSION = "checkout.session"


def add(tx: Transaction, session: Object, given: list[Object], param: str = "line_items") -> None:
    """
    Put line items into a session and add everything up.

    :raises StripeError: if prices are missing, in two currencies, or do not suit the mode.
    """
    session["_lines"] = [
        make_line(tx, line, f"{param}[{number}]")["id"] for number, line in enumerate(given)
    ]
    _check_prices(tx, session, param)
    add_up(tx, session)


def of(tx: Transaction, session: Object) -> list[Object]:
    """Return a session's line items in their order."""
    return [tx.get(KIND, id_) for id_ in session.get("_lines") or []]


def price_of(tx: Transaction, line: Object) -> Object:
    """Return the price of a line item."""
    return tx.get("price", line["price"])


def make_line(tx: Transaction, given: Object, path: str) -> Object:
    """
    Make one line item, of sessions, quotes and payment links alike.

    :raises StripeError: if there is no price, an inactive one, or no quantity.
    """
    if given.get("price") is not None:
        price = tx.get("price", given["price"], f"{path}[price]")
        if not price["active"]:
            raise invalid(
                f"The price specified is inactive. This field only accepts active prices: "
                f"{price['id']}.",
                param=f"{path}[price]",
            )
    elif "price_data" in given:
        price = catalogue.make_price(tx, given["price_data"], f"{path}[price_data]")
    else:
        raise missing(f"{path}[price]")
    is_metered = (price["recurring"] or {}).get("usage_type") == "metered"
    quantity = given.get("quantity")
    if quantity is None and not is_metered:
        raise invalid(
            "Quantity is required. Add `quantity` to each of `line_items`.",
            param=f"{path}[quantity]",
        )
    product = tx.find("product", price["product"]) or {}
    adjustable = given.get("adjustable_quantity")
    return tx.new(
        KIND,
        adjustable_quantity=_bounds(adjustable) if adjustable else None,
        currency=price["currency"],
        description=product.get("name"),
        metadata=merged_metadata(None, given.get("metadata")),
        price=price["id"],
        quantity=None if is_metered else quantity,
        _tax_rates=_tax_rates(tx, given.get("tax_rates") or [], path),
    )


def _bounds(given: Object) -> Object:
    is_enabled = given["enabled"]
    return {
        "enabled": is_enabled,
        "maximum": given.get("maximum", 99) if is_enabled else None,
        "minimum": given.get("minimum", 0) if is_enabled else None,
    }


def _tax_rates(tx: Transaction, ids: list[str], path: str) -> list[str]:
    param = f"{path}[tax_rates]"
    return [str(tx.get("tax_rate", id_, param)["id"]) for id_ in ids]


def _check_prices(tx: Transaction, session: Object, param: str) -> None:
    lines = of(tx, session)
    is_recurring = [price_of(tx, line)["recurring"] is not None for line in lines]
    if session["mode"] == "payment" and any(is_recurring):
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param=f"{param}[{is_recurring.index(True)}]",
        )
    if session["mode"] == "subscription" and not any(is_recurring):
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode when using "
            "prices.",
            param=param,
        )
    currencies = {line["currency"] for line in lines}
    if session["currency"]:
        currencies.add(session["currency"])
    if len(currencies) > 1:
        raise invalid(
            "All prices on a Checkout Session must be in the same currency: "
            f"{', '.join(sorted(currencies))}.",
            param=param,
        )
    session["currency"] = currencies.pop()


def set_quantities(tx: Transaction, session: Object, wanted: dict[str, int]) -> None:
    """Change quantities that the buyer may change, within their bounds, and add up anew."""
    for line in of(tx, session):
        bounds = line["adjustable_quantity"]
        if bounds and bounds["enabled"] and line["id"] in wanted:
            least = max(1, bounds["minimum"])
            line["quantity"] = min(max(wanted[line["id"]], least), bounds["maximum"])
    add_up(tx, session)


def add_up(tx: Transaction, session: Object) -> None:
    """Write amounts into the lines and the session."""
    lines = of(tx, session)
    is_trial = bool(session.get("_trial"))
    for line in lines:
        price = price_of(tx, line)
        is_due = price["recurring"] is None or not is_trial
        due = catalogue.amount_of(price, line["quantity"] or 0) if is_due else 0
        line.update(amount_subtotal=due, amount_discount=0)
    _discount(tx, session, lines)
    for line in lines:
        added, included = _taxes(tx, line)
        line["amount_tax"] = added + included
        line["amount_total"] = line["amount_subtotal"] - line["amount_discount"] + added
    shipping = (session.get("shipping_cost") or {}).get("amount_total", 0)
    session["amount_subtotal"] = sum(line["amount_subtotal"] for line in lines)
    session["amount_total"] = sum(line["amount_total"] for line in lines) + shipping
    session["total_details"] = {
        "amount_discount": sum(line["amount_discount"] for line in lines),
        "amount_shipping": shipping,
        "amount_tax": sum(line["amount_tax"] for line in lines),
    }


def coupon_of(tx: Transaction, discount: Object, param: str = "discounts[0]") -> Object:
    """
    Return the coupon of `{"coupon": …}` or `{"promotion_code": …}`.

    :raises StripeError: if it is not there, or no longer valid.
    """
    id_, name = discount.get("coupon"), f"{param}[coupon]"
    if discount.get("promotion_code"):
        name = f"{param}[promotion_code]"
        code = tx.get("promotion_code", discount["promotion_code"], name)
        if not code["active"]:
            raise invalid("This promotion code is not active.", param=name)
        id_ = code["promotion"]["coupon"]
    coupon = tx.get("coupon", id_ or "", name)
    if not coupon["valid"]:
        raise invalid(f"Coupon {coupon['id']} is no longer valid.", param=name)
    return coupon


def apply_code(tx: Transaction, session: Object, code: str) -> None:
    """
    Apply a promotion code that the buyer has typed.

    :raises StripeError: if there is no such code, or it does not hold for this purchase.
    """
    found = [
        row for row in tx.where("promotion_code") if row["code"].lower() == code.strip().lower()
    ]
    active = [row for row in found if row["active"]]
    if not session["allow_promotion_codes"] or not active:
        raise StripeError(400, "invalid_request_error", "This code is not valid.")
    coupon_of(tx, {"promotion_code": active[0]["id"]})
    session["discounts"] = [{"coupon": None, "promotion_code": active[0]["id"]}]
    add_up(tx, session)


def _discount(tx: Transaction, session: Object, lines: list[Object]) -> None:
    for discount in session["discounts"] or []:
        coupon = coupon_of(tx, discount)
        if coupon["percent_off"] is not None:
            share = Decimal(str(coupon["percent_off"])) / 100
            for line in lines:
                line["amount_discount"] = _rounded(line["amount_subtotal"] * share)
        else:
            _spread(coupon, session, lines)


def _spread(coupon: Object, session: Object, lines: list[Object]) -> None:
    """Take an amount off the lines in proportion; the last one bears what rounding leaves."""
    if coupon["currency"] != session["currency"]:
        raise invalid(
            f"The coupon's currency ({coupon['currency']}) does not match the currency of the "
            f"Checkout Session ({session['currency']}).",
            param="discounts[0]",
        )
    whole = sum(line["amount_subtotal"] for line in lines)
    left = wanted = min(coupon["amount_off"], whole)
    for line in lines:
        part = left if line is lines[-1] else wanted * line["amount_subtotal"] // (whole or 1)
        line["amount_discount"] = min(part, line["amount_subtotal"])
        left -= line["amount_discount"]


def _taxes(tx: Transaction, line: Object) -> tuple[int, int]:
    """Return the taxes that are added to a line, and those that it includes."""
    base = Decimal(line["amount_subtotal"] - line["amount_discount"])
    rates = [tx.get("tax_rate", id_) for id_ in line["_tax_rates"]]
    inclusive = sum((_percentage(one) for one in rates if one["inclusive"]), Decimal(0))
    exclusive = sum((_percentage(one) for one in rates if not one["inclusive"]), Decimal(0))
    included = base - base / (1 + inclusive / 100)
    return _rounded((base - included) * exclusive / 100), _rounded(included)


def _percentage(rate: Object) -> Decimal:
    return Decimal(str(rate["percentage"]))


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Embed the price."""
    if isinstance(body["price"], str):
        body["price"] = world.public(world.store.kinds["price"].rows[body["price"]])


def listed(kind: str, address: str) -> None:
    """Let the line items of this kind of object be expanded, and listed at an address."""

    @includable(kind, "line_items")
    def included(world: World, body: Object) -> Object:
        """Return the line items."""
        row = world.store.kinds[kind].rows[body["id"]]
        items = world.store.kinds[KIND].rows
        found = [world.public(items[id_]) for id_ in row.get("_lines") or []]
        return list_of(found, f"/v1/{address}/{body['id']}/line_items")

    @route("GET", f"/v1/{address}/{{{kind.rpartition('.')[2]}}}/line_items")
    def index(call: Call) -> Object:
        """List what is sold, in its order."""
        row = call.tx.get(kind, next(iter(call.path.values())))
        rows = of(call.tx, row)
        ids = [line["id"] for line in rows]
        start = ids.index(after) + 1 if (after := call.get("starting_after")) in ids else 0
        limit = limit_of(call.params)
        shown = [call.tx.public(line) for line in rows[start : start + limit]]
        return {**list_of(shown, call.request.path), "has_more": len(rows) > start + limit}


listed(SESSION, "checkout/sessions")
listed("quote", "quotes")
listed("payment_link", "payment_links")
