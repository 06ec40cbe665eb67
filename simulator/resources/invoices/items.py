"""Invoice items: what waits for the customer's next invoice, or was put on a draft."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, missing
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World
from simulator.resources import discounts, tax_rates
from simulator.resources.catalogue import amount_of, make_price
from simulator.resources.invoices import invoicing
from simulator.resources.invoices import lines as invoice_lines

KIND = "invoiceitem"
WORDS = ("description", "discountable", "period")
PRICED = ("amount", "price_data", "pricing", "quantity", "quantity_decimal", "unit_amount_decimal")


def make(tx: Transaction, *, customer: str, currency: str, amount: int, **fields: Any) -> Object:
    """Make an item that waits for an invoice, and tell of it."""
    clock = tx.clock_of(customer)
    now = tx.now(clock)
    item = tx.new(
        KIND,
        clock=clock,
        amount=amount,
        currency=currency,
        customer=customer,
        date=now,
        discountable=True,
        discounts=[],
        net_amount=amount,
        period={"start": now, "end": now},
        quantity=1,
        quantity_decimal="1",
        tax_rates=[],
        test_clock=clock,
    )
    item.update(fields)
    item["quantity_decimal"] = str(item["quantity"])
    if item.get("_subscription"):
        inner = {"subscription": item["_subscription"]}
        if item.get("_subscription_item"):
            inner["subscription_item"] = item["_subscription_item"]
        item["parent"] = {"type": "subscription_details", "subscription_details": inner}
    tx.emit("invoiceitem.created", item)
    return item


def pending(tx: Transaction, customer: str, currency: str) -> list[Object]:
    """Return what waits for a customer's next invoice."""
    waiting = tx.where(KIND, customer=customer, invoice=None)
    return [item for item in waiting if item["currency"] == currency]


def priced(tx: Transaction, given: Object, currency: str, path: str = "") -> Object:
    """
    Return amount, quantity and pricing of what is given for an item or a line.

    :raises StripeError: if there is no amount, more than one way to it, or another currency.
    """
    quantity = _quantity(given)
    price = _price(tx, given, path)
    if price is not None:
        if price["recurring"]:
            raise invalid(
                f"The price specified is set to `type=recurring` but this field only accepts "
                f"prices with `type=one_time`: {price['id']}",
                param="price",
            )
        if price["currency"] != currency:
            raise invalid(
                f"The price {price['id']} is in {price['currency']}, not in {currency}.",
                param="price",
            )
        amount = amount_of(price, quantity)
        pricing = invoice_lines.pricing_of(price)
        return {"amount": amount, "quantity": quantity, "pricing": pricing}
    if given.get("unit_amount_decimal") is not None:
        each = Decimal(given["unit_amount_decimal"]) * quantity
        amount = int(each.quantize(Decimal(1), ROUND_HALF_UP))
        return {"amount": amount, "quantity": quantity, "pricing": None}
    if given.get("amount") is None:
        raise missing(f"{path}[amount]" if path else "amount")
    if "quantity" in given:
        raise invalid("You may only specify one of these parameters: amount, quantity.")
    return {"amount": given["amount"], "quantity": 1, "pricing": None}


def _quantity(given: Object) -> int:
    """
    Return how many.

    :raises StripeError: if it is no whole number: Stripe takes parts, this simulator does not.
    """
    decimal = given.get("quantity_decimal")
    if decimal is None:
        return int(given.get("quantity", 1))
    if Decimal(decimal) != int(Decimal(decimal)):
        raise invalid("This simulator has whole quantities only.", param="quantity_decimal")
    return int(Decimal(decimal))


def _price(tx: Transaction, given: Object, path: str) -> Object | None:
    if given.get("price_data"):
        name = f"{path}[price_data]" if path else "price_data"
        return make_price(tx, given["price_data"], name)
    id_ = (given.get("pricing") or {}).get("price") or given.get("price")
    return tx.get("price", id_, f"{path}[pricing][price]" if path else "price") if id_ else None


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Put the tax rates in, and say what is left after discounts."""
    rates = [world.store.find("tax_rate", id_) for id_ in body["tax_rates"]]
    body["tax_rates"] = [world.public(row) for row in rates if row is not None]
    body["net_amount"] = body["amount"]


@route("POST", "/v1/invoiceitems")
def create(call: Call) -> Object:
    """Make an item for the next invoice, or for a draft."""
    tx = call.tx
    invoice = _draft(call)
    customer = call.get("customer") or (invoice["customer"] if invoice else None)
    if customer is None:
        raise missing("customer")
    owner = tx.get("customer", customer, "customer")
    currency = _currency(call, owner, invoice)
    fields = priced(tx, call.only(*PRICED), currency)
    subscription = call.get("subscription")
    if subscription is not None:
        tx.get("subscription", subscription, "subscription")
    item = make(
        tx,
        customer=customer,
        currency=currency,
        metadata=merged_metadata(None, call.get("metadata")),
        tax_rates=tax_rates.check(tx, call.get("tax_rates"), "tax_rates"),
        _subscription=subscription,
        **fields,
        **{name: value for name, value in call.only(*WORDS).items() if value is not None},
    )
    item["discounts"] = discounts.give_all(
        tx, call.get("discounts"), currency=currency, customer=customer, invoice_item=item["id"]
    )
    if invoice is not None:
        invoice_lines.of_item(tx, invoice, item)
        invoicing.recompute(tx, invoice)
        tx.emit("invoice.updated", invoice)
    return item


def _draft(call: Call) -> Object | None:
    if call.get("invoice") is None:
        return None
    invoice = call.tx.get("invoice", call["invoice"], "invoice")
    invoicing.check_draft(invoice)
    if call.get("customer") not in (None, invoice["customer"]):
        raise invalid("The invoice belongs to another customer.", param="invoice")
    return invoice


def _currency(call: Call, owner: Object, invoice: Object | None) -> str:
    price = (call.get("pricing") or {}).get("price")
    found = (
        call.get("currency")
        or (call.get("price_data") or {}).get("currency")
        or (price and call.tx.get("price", price, "pricing[price]")["currency"])
        or (invoice and invoice["currency"])
        or owner["currency"]
        or "usd"
    )
    return str(found).lower()


@route("GET", "/v1/invoiceitems")
def index(call: Call) -> Object:
    """List invoice items; `pending` are those on no invoice."""
    pending_ = call.params.get("pending")

    def keep(item: Object) -> bool:
        return pending_ is None or (item["invoice"] is None) == pending_

    return call.page(KIND, match=("customer", "invoice"), keep=keep)


@route("GET", "/v1/invoiceitems/{invoiceitem}")
def read(call: Call) -> Object:
    """Return an invoice item."""
    return call.tx.get(KIND, call.path["invoiceitem"])


@route("POST", "/v1/invoiceitems/{invoiceitem}")
def update(call: Call) -> Object:
    """Change an item as long as its invoice is not final."""
    tx = call.tx
    item = tx.get(KIND, call.path["invoiceitem"])
    invoice = _check_open(tx, item)
    item.update(call.only(*WORDS))
    given = call.only(*PRICED)
    if given:
        if "quantity" in given and given.keys() == {"quantity"} and item["pricing"]:
            given["pricing"] = item["pricing"]["price_details"]
        item.update(priced(tx, given, item["currency"]))
        item["quantity_decimal"] = str(item["quantity"])
    if "tax_rates" in call.params:
        item["tax_rates"] = tax_rates.check(tx, call["tax_rates"], "tax_rates")
    if "discounts" in call.params:
        of = {"customer": item["customer"], "invoice_item": item["id"]}
        given_ = call["discounts"]
        item["discounts"] = discounts.give_all(tx, given_, currency=item["currency"], **of)
    if "metadata" in call.params:
        item["metadata"] = merged_metadata(item["metadata"], call["metadata"])
    if invoice is not None:
        for line in tx.where(invoice_lines.KIND, invoice=invoice["id"], _item=item["id"]):
            tx.remove(line)
        invoice_lines.of_item(tx, invoice, item)
        invoicing.recompute(tx, invoice)
        tx.emit("invoice.updated", invoice)
    return item


@route("DELETE", "/v1/invoiceitems/{invoiceitem}")
def delete(call: Call) -> Object:
    """Delete an item that is on no final invoice."""
    tx = call.tx
    item = tx.get(KIND, call.path["invoiceitem"])
    invoice = _check_open(tx, item)
    if invoice is not None:
        for line in tx.where(invoice_lines.KIND, invoice=invoice["id"], _item=item["id"]):
            tx.remove(line)
        invoicing.recompute(tx, invoice)
        tx.emit("invoice.updated", invoice)
    tx.emit("invoiceitem.deleted", item)
    return tx.remove(item)


def _check_open(tx: Transaction, item: Object) -> Object | None:
    invoice = tx.find("invoice", item["invoice"])
    if invoice is not None and invoice["status"] != "draft":
        raise invalid(
            "This invoice item is attached to an invoice that is no longer editable: only items "
            "that are pending or on a draft can be changed or deleted."
        )
    return invoice
