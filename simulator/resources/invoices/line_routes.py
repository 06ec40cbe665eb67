"""Lines of drafts, changed by hand."""

from simulator.core import lists
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, missing, no_such
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import discounts, tax_rates
from simulator.resources.invoices import invoicing
from simulator.resources.invoices import items as invoiceitems
from simulator.resources.invoices import lines as invoice_lines
from simulator.resources.invoices.lines import KIND

PRICED = invoiceitems.PRICED
WORDS = ("description", "discountable", "period")


@route("GET", "/v1/invoices/{invoice}/lines")
def index(call: Call) -> Object:
    """List an invoice's lines, the first one first."""
    invoice = call.tx.get(invoicing.KIND, call.path["invoice"])
    rows = invoice_lines.of_invoice(call.tx, invoice)
    return page(call, rows, KIND)


def page(call: Call, rows: list[Object], kind: str) -> Object:
    """Return a page of objects that are listed in the order in which they were made."""
    limit = lists.limit_of(call.only("limit"))
    ids = [row["id"] for row in rows]
    after, before = call.get("starting_after"), call.get("ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in ids:
            raise no_such(kind, cursor, name)
    first = ids.index(after) + 1 if after else 0
    rows = rows[first : ids.index(before)] if before else rows[first:]
    shown = rows[-limit:] if before else rows[:limit]
    data = [call.tx.public(row) for row in shown]
    url = call.request.path
    return {"object": "list", "data": data, "has_more": len(rows) > limit, "url": url}


@route("POST", "/v1/invoices/{invoice}/lines/{line_item_id}")
def update(call: Call) -> Object:
    """Change one line of a draft."""
    tx = call.tx
    invoice = _draft(call)
    line = _line(tx, invoice, call.path["line_item_id"], "id")
    _change(tx, invoice, line, call.only(*PRICED, *WORDS, "discounts", "metadata", "tax_rates"))
    _tell(tx, invoice)
    return line


@route("POST", "/v1/invoices/{invoice}/add_lines")
def add(call: Call) -> Object:
    """Put lines on a draft: of pending items, or new ones."""
    tx = call.tx
    invoice = _draft(call)
    for number, one in enumerate(call["lines"]):
        path = f"lines[{number}]"
        if one.get("invoice_item"):
            item = tx.get(invoiceitems.KIND, one["invoice_item"], f"{path}[invoice_item]")
            if item["invoice"] is not None or item["customer"] != invoice["customer"]:
                raise invalid(
                    "The invoice item is on an invoice already, or another customer's.",
                    param=f"{path}[invoice_item]",
                )
        else:
            item = _make_item(tx, invoice, one, path)
        invoice_lines.of_item(tx, invoice, item)
    _set_metadata(call, invoice)
    _tell(tx, invoice)
    return invoice


def _make_item(tx: Transaction, invoice: Object, one: Object, path: str) -> Object:
    fields = invoiceitems.priced(tx, one, invoice["currency"], path)
    fields.update({name: one[name] for name in WORDS if one.get(name) is not None})
    item = invoiceitems.make(
        tx,
        customer=invoice["customer"],
        currency=invoice["currency"],
        metadata=merged_metadata(None, one.get("metadata")),
        tax_rates=tax_rates.check(tx, one.get("tax_rates"), f"{path}[tax_rates]"),
        **fields,
    )
    to = {"customer": invoice["customer"], "invoice_item": item["id"]}
    given = one.get("discounts")
    item["discounts"] = discounts.give_all(tx, given, currency=invoice["currency"], **to)
    return item


@route("POST", "/v1/invoices/{invoice}/update_lines")
def update_many(call: Call) -> Object:
    """Change several lines of a draft."""
    tx = call.tx
    invoice = _draft(call)
    for number, one in enumerate(call["lines"]):
        line = _line(tx, invoice, one["id"], f"lines[{number}][id]")
        _change(tx, invoice, line, {name: one[name] for name in one if name != "id"})
    _set_metadata(call, invoice)
    _tell(tx, invoice)
    return invoice


@route("POST", "/v1/invoices/{invoice}/remove_lines")
def remove(call: Call) -> Object:
    """Take lines off a draft: their items are deleted, or wait again."""
    tx = call.tx
    invoice = _draft(call)
    for number, one in enumerate(call["lines"]):
        line = _line(tx, invoice, one["id"], f"lines[{number}][id]")
        item = tx.find(invoiceitems.KIND, line.get("_item"))
        if item is not None and one["behavior"] == "unassign":
            item["invoice"] = None
        elif item is not None:
            tx.emit("invoiceitem.deleted", item)
            tx.remove(item)
        tx.remove(line)
    _set_metadata(call, invoice)
    _tell(tx, invoice)
    return invoice


def _draft(call: Call) -> Object:
    invoice = call.tx.get(invoicing.KIND, call.path["invoice"])
    invoicing.check_draft(invoice)
    return invoice


def _line(tx: Transaction, invoice: Object, id_: str, param: str) -> Object:
    line = tx.get(KIND, id_, param)
    if line["invoice"] != invoice["id"]:
        raise no_such(KIND, id_, param)
    return line


def _change(tx: Transaction, invoice: Object, line: Object, given: Object) -> None:
    line.update({name: given[name] for name in WORDS if given.get(name) is not None})
    priced = {name: given[name] for name in PRICED if name in given}
    if priced:
        if priced.keys() == {"quantity"} and line["pricing"]:
            priced["pricing"] = line["pricing"]["price_details"]
        elif priced.keys() == {"quantity"}:
            raise missing("amount")
        line.update(invoiceitems.priced(tx, priced, invoice["currency"]))
        line["quantity_decimal"] = str(line["quantity"])
    if "tax_rates" in given:
        line["_rates"] = tax_rates.check(tx, given["tax_rates"], "tax_rates")
    if "discounts" in given:
        to = {"customer": invoice["customer"], "invoice": invoice["id"]}
        currency = invoice["currency"]
        line["discounts"] = discounts.give_all(tx, given["discounts"], currency=currency, **to)
    if "metadata" in given:
        line["metadata"] = merged_metadata(line["metadata"], given["metadata"])
    if "tax_amounts" in given:
        raise invalid("This simulator has tax rates only.", param="tax_amounts")


def _set_metadata(call: Call, invoice: Object) -> None:
    if "invoice_metadata" in call.params:
        merged = merged_metadata(invoice["metadata"], call["invoice_metadata"])
        invoice["metadata"] = merged


def _tell(tx: Transaction, invoice: Object) -> None:
    invoicing.recompute(tx, invoice)
    tx.emit("invoice.updated", invoice)
