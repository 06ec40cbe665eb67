"""What is sold: how products and prices are made, and what so many of one cost."""

from decimal import ROUND_HALF_UP, Decimal

from simulator.core.call import merged_metadata
from simulator.core.errors import StripeError, invalid, missing
from simulator.core.transaction import Transaction
from simulator.core.values import Object

PLAIN = (
    "active",
    "description",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
)
LISTS = ("images", "marketing_features")
LABELS = ("lookup_key", "nickname", "tax_behavior")


def make_product(tx: Transaction, given: Object) -> Object:
    """
    Make a product from what is given to create one, or from `product_data`.

    :raises StripeError: if the id that is wanted is taken.
    """
    id_ = given.get("id")
    if id_ is not None and tx.find("product", id_):
        raise StripeError(
            400,
            "invalid_request_error",
            f"Product already exists: {id_}",
            code="resource_already_exists",
        )
    product = tx.new(
        "product",
        id=id_,
        active=given.get("active", True),
        updated=tx.now(),
        metadata=merged_metadata(None, given.get("metadata") or {}),
    )
    product.update({name: given[name] for name in (*PLAIN, *LISTS) if given.get(name) is not None})
    return product


def make_price(tx: Transaction, given: Object, path: str = "") -> Object:
    """
    Make a price from what is given to create one, or from `price_data` at `path`.

    :raises StripeError: if there is no amount, or no product.
    """
    product = _product(tx, given, path)
    recurring = given.get("recurring")
    amounts = _amounts(given, path)
    price = tx.new(
        "price",
        active=given.get("active", True),
        billing_scheme=given.get("billing_scheme", "per_unit"),
        currency=given["currency"].lower(),
        metadata=merged_metadata(None, given.get("metadata") or {}),
        product=product,
        recurring=_recurring(recurring) if recurring else None,
        tax_behavior=given.get("tax_behavior", "unspecified"),
        tiers_mode=given.get("tiers_mode"),
        transform_quantity=given.get("transform_quantity"),
        type="recurring" if recurring else "one_time",
        **amounts,
    )
    price.update({name: given[name] for name in LABELS if given.get(name) is not None})
    price["_tiers"] = [_tier(tier) for tier in given.get("tiers") or []] or None
    price["_currency_options"] = _currency_options(price, given)
    tx.emit("price.created", price)
    return price


def amount_of(price: Object, quantity: int) -> int:
    """Return what so many cost, in the smallest unit of the currency."""
    if transform := price["transform_quantity"]:
        whole, rest = divmod(quantity, transform["divide_by"])
        quantity = whole + (1 if rest and transform["round"] == "up" else 0)
    if price["billing_scheme"] == "per_unit":
        return _rounded(Decimal(price["unit_amount_decimal"] or 0) * quantity)
    return _rounded(_tiered(price, quantity))


def _tiered(price: Object, quantity: int) -> Decimal:
    total, below = Decimal(0), 0
    for tier in price["_tiers"] or []:
        top = tier["up_to"] if tier["up_to"] is not None else max(quantity, below)
        unit = Decimal(tier["unit_amount_decimal"] or 0)
        flat = Decimal(tier["flat_amount_decimal"] or 0)
        if price["tiers_mode"] == "volume":
            if quantity <= top:
                return flat + unit * quantity
        else:
            used = min(quantity, top) - below
            if used <= 0 and below:
                break
            total += flat + unit * used
        below = top
    return total


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _product(tx: Transaction, given: Object, path: str) -> str:
    if "product_data" in given:
        product = make_product(tx, given["product_data"])
        tx.emit("product.created", product)
        return str(product["id"])
    param = f"{path}[product]" if path else "product"
    if "product" not in given:
        raise missing(param)
    return str(tx.get("product", given["product"], param)["id"])


def _amounts(given: Object, path: str) -> Object:
    custom = given.get("custom_unit_amount")
    if given.get("billing_scheme") == "tiered":
        if not given.get("tiers") or not given.get("tiers_mode"):
            raise missing("tiers" if not given.get("tiers") else "tiers_mode")
        return {"unit_amount": None, "unit_amount_decimal": None}
    if custom and custom["enabled"]:
        bounds = {name: custom.get(name) for name in ("maximum", "minimum", "preset")}
        return {"custom_unit_amount": bounds, "unit_amount": None, "unit_amount_decimal": None}
    if given.get("unit_amount") is None and given.get("unit_amount_decimal") is None:
        param = f"{path}[unit_amount]" if path else "unit_amount"
        raise invalid(
            f"Missing required param: {param}. One of unit_amount, unit_amount_decimal or "
            "custom_unit_amount must be given.",
            param=param,
            code="parameter_missing",
        )
    return _both(given, "unit_amount")


def _both(given: Object, name: str) -> Object:
    """Return an amount as an integer, if it is one, and as a decimal."""
    decimal = given.get(f"{name}_decimal")
    if decimal is None and given.get(name) is not None:
        decimal = str(given[name])
    if decimal is None:
        return {name: None, f"{name}_decimal": None}
    value = Decimal(decimal)
    whole = int(value) if value == value.to_integral_value() else None
    text = str(whole) if whole is not None else format(value.normalize(), "f")
    return {name: whole, f"{name}_decimal": text}


def _tier(tier: Object) -> Object:
    top = None if tier["up_to"] == "inf" else tier["up_to"]
    return {**_both(tier, "flat_amount"), **_both(tier, "unit_amount"), "up_to": top}


def _recurring(given: Object) -> Object:
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": given.get("meter"),
        "usage_type": given.get("usage_type", "licensed"),
    }


def _currency_options(price: Object, given: Object) -> Object:
    own = {
        "custom_unit_amount": price["custom_unit_amount"],
        "tax_behavior": price["tax_behavior"],
        "unit_amount": price["unit_amount"],
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    options = {price["currency"]: own}
    for currency, option in (given.get("currency_options") or {}).items():
        tax = option.get("tax_behavior", "unspecified")
        options[currency] = {
            "custom_unit_amount": None,
            "tax_behavior": tax,
            **_both(option, "unit_amount"),
        }
    return options
