"""Lines of invoices: of what they are made, and what discounts and taxes make of them."""

from typing import Any

from simulator.arithmetic.reductions import Reducible, reduce
from simulator.arithmetic.taxation import Rate, taxes
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import list_of, view
from simulator.core.world import World
from simulator.resources import discounts, tax_rates

KIND = "line_item"
SHOWN = 10


def of_item(tx: Transaction, invoice: Object, item: Object) -> Object:
    """Put a pending invoice item on a draft."""
    item["invoice"] = invoice["id"]
    return make(
        tx,
        invoice,
        amount=item["amount"],
        description=item["description"],
        discountable=item["discountable"],
        discounts=list(item["discounts"] or ()),
        metadata=dict(item["metadata"] or {}),
        parent=_parent_of_item(item),
        period=dict(item["period"]),
        pricing=item["pricing"],
        quantity=item["quantity"],
        _item=item["id"],
        _rates=item["tax_rates"],
    )


def _parent_of_item(item: Object) -> Object:
    """Return where a line comes from, in the shape of 2026."""
    inner = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": _credited(item)},
        "subscription": item.get("_subscription"),
    }
    if item["proration"] and item.get("_subscription_item"):
        inner["subscription_item"] = item["_subscription_item"]
        return parent("subscription_item_details", inner)
    return parent("invoice_item_details", inner)


def _credited(item: Object) -> Object | None:
    """Return the lines that a proration gives back."""
    found = (item.get("proration_details") or {}).get("credited_items") or {}
    lines: Object | None = found.get("invoice_line_item_details")
    return lines


def parent(type_: str, inner: Object) -> Object:
    """Return a line's parent."""
    both = {"invoice_item_details": None, "subscription_item_details": None}
    return {**both, type_: inner, "type": type_}


def make(tx: Transaction, invoice: Object, **fields: Any) -> Object:
    """Add a line to an invoice."""
    line = tx.new(
        KIND,
        currency=invoice["currency"],
        invoice=invoice["id"],
        subtotal=fields["amount"],
        _rates=fields.pop("_rates", None) or [],
    )
    line.update(fields)
    line["quantity_decimal"] = None if line["quantity"] is None else str(line["quantity"])
    parent_ = line["parent"]
    line["subscription"] = (parent_[parent_["type"]] or {}).get("subscription")
    return line


def of_invoice(tx: Transaction, invoice: Object) -> list[Object]:
    """Return an invoice's lines in their order."""
    return tx.where(KIND, invoice=invoice["id"])


def reckon(tx: Transaction, invoice: Object) -> list[Object]:
    """Let discounts and tax rates have their effect on all lines; return the lines."""
    lines = of_invoice(tx, invoice)
    at = invoice["_discounted_at"]
    taken = reduce(
        [_reducible(tx, line, at) for line in lines],
        discounts.reductions(tx, invoice["discounts"], at),
    )
    is_exempt = invoice["customer_tax_exempt"] in ("exempt", "reverse")
    for line in lines:
        parts = taken[line["id"]]
        amounts = [{"amount": part, "discount": id_} for id_, part in parts]
        line["discount_amounts"] = amounts
        line["pretax_credit_amounts"] = [{**one, "type": "discount"} for one in amounts]
        net = line["amount"] - sum(part for _, part in parts)
        rates = line["_rates"] or invoice["default_tax_rates"]
        found = [] if is_exempt else tax_rates.rates(tx, rates)
        line["taxes"] = taxes_of(net, found)
        line["subtotal"] = line["amount"]
    return lines


def _reducible(tx: Transaction, line: Object, at: int) -> Reducible:
    details = (line["pricing"] or {}).get("price_details") or {}
    return Reducible(
        id=line["id"],
        amount=line["amount"],
        product=details.get("product"),
        is_discountable=line["discountable"],
        own=tuple(discounts.reductions(tx, line["discounts"], at)),
    )


def taxes_of(net: int, rates: list[Rate]) -> list[Object]:
    """Return taxes of an amount as Stripe shows them."""
    return [
        {
            "amount": tax.amount,
            "tax_behavior": "inclusive" if tax.rate.is_inclusive else "exclusive",
            "tax_rate_details": {"tax_rate": tax.rate.id},
            "taxability_reason": "not_available",
            "taxable_amount": tax.taxable,
            "type": "tax_rate_details",
        }
        for tax in taxes(net, rates)
    ]


def pricing_of(price: Object) -> Object:
    """Return how a line says which price it has."""
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def put_in(world: World, body: Object, kind: str = "invoices") -> None:
    """Put the first lines into the public copy of an invoice."""
    rows = world.store.kinds[KIND].matching({"invoice": body["id"]})
    shown = [world.public(row) for row in rows[:SHOWN]]
    more = len(rows) > SHOWN
    url = f"/v1/{kind}/{body['id']}/lines"
    body["lines"] = {**list_of(shown, url), "has_more": more}


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Embed nothing: everything that a line has is an id. Its invoice may be a preview."""
    body["discounts"] = list(body["discounts"])
