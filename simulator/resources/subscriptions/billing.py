"""Invoices of subscriptions: whose lines are periods, and the parts of them."""

from datetime import UTC, datetime
from typing import Any

from simulator.arithmetic.proration import share
from simulator.arithmetic.reductions import Reducible, reduce
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.pages.looks import amount as as_written
from simulator.resources import discounts
from simulator.resources.catalogue import amount_of
from simulator.resources.invoices import collecting, invoicing
from simulator.resources.invoices import items as invoiceitems
from simulator.resources.invoices import lines as invoice_lines
from simulator.resources.invoices import routes as invoices
from simulator.resources.subscriptions.state import items_of, price_of


def draft(tx: Transaction, subscription: Object, reason: str, **fields: Any) -> Object:
    """Make an empty draft for a subscription, with its terms."""
    customer = tx.get("customer", subscription["customer"])
    shared = subscription["discounts"] or ([customer["discount"]] if customer["discount"] else [])
    invoice = invoicing.make(
        tx,
        customer,
        subscription["currency"],
        reason,
        auto_advance=True,
        collection_method=subscription["collection_method"],
        default_tax_rates=list(subscription["default_tax_rates"] or ()),
        description=subscription["description"],
        discounts=list(shared),
        parent=invoices.parent_of(subscription),
        _days_until_due=subscription["days_until_due"],
        _saves_method=bool(_saves(subscription)),
        _subscription=subscription["id"],
    )
    invoice.update(fields)
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def _saves(subscription: Object) -> bool:
    settings = subscription["payment_settings"] or {}
    return bool(settings.get("save_default_payment_method") == "on_subscription")


def add_periods(
    tx: Transaction, subscription: Object, invoice: Object, *, part: tuple[int, int] | None = None
) -> None:
    """
    Add the period that runs of each item to a draft; in a trial it costs nothing.

    `part` is the whole period of which the one that runs is only the end.
    """
    is_free = subscription["status"] == "trialing"
    for item in items_of(tx, subscription):
        price = price_of(tx, item)
        start, end = item["current_period_start"], item["current_period_end"]
        amount = 0 if is_free else amount_of(price, item["quantity"])
        if part is not None:
            amount = share(amount, *part, start)
        name = describe(tx, price)
        inner = {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription["id"],
            "subscription_item": item["id"],
        }
        line = invoice_lines.make(
            tx,
            invoice,
            amount=amount,
            description=f"Trial period for {name}" if is_free else f"{item['quantity']} × {name}",
            discountable=True,
            discounts=list(item["discounts"]),
            metadata=dict(subscription["metadata"]),
            parent=invoice_lines.parent("subscription_item_details", inner),
            period={"start": start, "end": end},
            pricing=invoice_lines.pricing_of(price),
            quantity=item["quantity"],
            _rates=item["tax_rates"],
        )
        item["_billed"] = {
            "line": line["id"],
            "item": None,
            "invoice": invoice["id"],
            "start": start,
            "end": end,
        }


def describe(tx: Transaction, price: Object) -> str:
    """Return a price's name as it stands on an invoice."""
    product = tx.find("product", price["product"]) or {"name": price["product"]}
    recurring = price["recurring"]
    every = f"{recurring['interval_count']} {recurring['interval']}s"
    each = recurring["interval"] if recurring["interval_count"] == 1 else every
    if price["unit_amount"] is None:
        return f"{product['name']} (per {each})"
    return f"{product['name']} (at {as_written(price['unit_amount'], price['currency'])} / {each})"


def add_pending(tx: Transaction, subscription: Object, invoice: Object) -> None:
    """Add what waits: for this subscription, or for whichever is billed next."""
    waiting = invoiceitems.pending(tx, subscription["customer"], subscription["currency"])
    mine = [one for one in waiting if one.get("_subscription") in (None, subscription["id"])]
    invoicing.take_pending(tx, invoice, mine)


def announce(tx: Transaction, subscription: Object, invoice: Object) -> Object:
    """Tell of a draft; discounts that are for one invoice have had theirs."""
    invoicing.announce(tx, invoice)
    kept = [id_ for id_ in subscription["discounts"] if not discounts.is_once(tx, id_)]
    subscription["discounts"] = kept
    customer = tx.get("customer", subscription["customer"])
    used = customer["discount"]
    if used in invoice["discounts"] and discounts.is_once(tx, used):
        customer["discount"] = None
    return invoice


def cycle(tx: Transaction, subscription: Object, before: tuple[int, int], reason: str) -> Object:
    """Make the invoice of a period that begins; `before` is the one that ends."""
    invoice = draft(tx, subscription, reason, period_start=before[0], period_end=before[1])
    add_periods(tx, subscription, invoice)
    add_pending(tx, subscription, invoice)
    announce(tx, subscription, invoice)
    hold(tx, subscription, invoice)
    return invoice


def hold(tx: Transaction, subscription: Object, invoice: Object) -> bool:
    """Let a pause of collection have its effect; return whether there is one."""
    paused = subscription["pause_collection"]
    if subscription["status"] == "unpaid" or (paused and paused["behavior"] == "keep_as_draft"):
        invoice["auto_advance"] = False
        invoicing.advance_later(tx, invoice)
        tx.emit("invoice.updated", invoice)
        return True
    if not paused:
        return False
    invoicing.finalize(tx, invoice, auto_advance=False)
    if invoice["status"] == "open" and paused["behavior"] == "void":
        invoicing.void(tx, invoice)
    elif invoice["status"] == "open":
        invoicing.mark_uncollectible(tx, invoice)
    return True


def at_once(tx: Transaction, subscription: Object, invoice: Object) -> None:
    """Make an invoice final and charge it now, as changes and first invoices are."""
    if hold(tx, subscription, invoice):
        return
    invoicing.finalize(tx, invoice)
    if invoice["status"] == "open" and subscription["collection_method"] == "send_invoice":
        tx.emit("invoice.sent", invoice)


def credit(tx: Transaction, subscription: Object, item: Object, at: int) -> None:
    """Give back what an item was billed for and is not used: an invoice item that waits."""
    billed = item.get("_billed")
    if billed is None:
        return
    amount = share(_net(tx, billed), billed["start"], billed["end"], at)
    if amount == 0:
        return
    _prorate(
        tx,
        subscription,
        item,
        -amount,
        (at, billed["end"]),
        f"Unused time on {item['quantity']} × {_name(tx, item)} after {_day(at)}",
        _credited(billed),
    )


def _net(tx: Transaction, billed: Object) -> int:
    """Return what was billed: a line less its discounts, or a proration."""
    if billed["item"] is not None:
        return int((tx.find(invoiceitems.KIND, billed["item"]) or {"amount": 0})["amount"])
    line = tx.find(invoice_lines.KIND, billed["line"])
    if line is None:
        return 0
    return int(line["amount"] - sum(one["amount"] for one in line["discount_amounts"]))


def _credited(billed: Object) -> Object:
    if billed["item"] is not None:
        return {"type": "invoice_item", "invoice_item": billed["item"]}
    details = {"invoice": billed["invoice"], "invoice_line_items": [billed["line"]]}
    return {"type": "invoice_line_items", "invoice_line_item_details": details}


def debit(tx: Transaction, subscription: Object, item: Object, at: int) -> None:
    """Charge an item for the rest of the period: an invoice item that waits."""
    full = amount_of(price_of(tx, item), item["quantity"])
    start, end = item["current_period_start"], item["current_period_end"]
    one = Reducible("item", full, price_of(tx, item)["product"])
    live = [*item["discounts"], *subscription["discounts"]]
    taken = reduce([one], discounts.reductions(tx, live, at))["item"]
    amount = share(full - sum(part for _, part in taken), start, end, at)
    if amount == 0:
        item["_billed"] = None
        return
    made = _prorate(
        tx,
        subscription,
        item,
        amount,
        (at, end),
        f"Remaining time on {item['quantity']} × {_name(tx, item)} after {_day(at)}",
    )
    item["_billed"] = {"line": None, "item": made["id"], "invoice": None, "start": at, "end": end}


def _prorate(
    tx: Transaction,
    subscription: Object,
    item: Object,
    amount: int,
    period: tuple[int, int],
    description: str,
    credited: Object | None = None,
) -> Object:
    return invoiceitems.make(
        tx,
        customer=subscription["customer"],
        currency=subscription["currency"],
        amount=amount,
        description=description,
        discountable=False,
        period={"start": period[0], "end": period[1]},
        pricing=invoice_lines.pricing_of(price_of(tx, item)),
        proration=True,
        proration_details={"credited_items": credited, "discount_amounts": []},
        quantity=item["quantity"],
        tax_rates=list(item["tax_rates"]),
        _subscription=subscription["id"],
        _subscription_item=item["id"],
    )


def _name(tx: Transaction, item: Object) -> str:
    price = price_of(tx, item)
    product = tx.find("product", price["product"])
    return str(product["name"]) if product else str(price["product"])


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d %b %Y")


def charge(tx: Transaction, invoice: Object, *, off_session: bool = True) -> None:
    """
    Collect a final invoice by card.

    :raises StripeError: as `collecting.collect` does.
    """
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        collecting.collect(tx, invoice, off_session=off_session)


def stop_collecting(tx: Transaction, subscription: Object) -> None:
    """Let invoices of a subscription that has ended advance no more."""
    for invoice in tx.where("invoice", customer=subscription["customer"]):
        is_mine = invoice.get("_subscription") == subscription["id"]
        if is_mine and invoice["auto_advance"] and invoice["status"] in ("draft", "open"):
            invoice.update(auto_advance=False, next_payment_attempt=None)
            tx.unschedule(invoice["id"])
            invoice["automatically_finalizes_at"] = None
            tx.emit("invoice.updated", invoice)
