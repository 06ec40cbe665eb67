"""Lines of credit notes: which part of an invoice's lines is credited, or what else."""

from decimal import ROUND_HALF_UP, Decimal

from simulator.arithmetic.proration import rounded
from simulator.core.call import merged_metadata
from simulator.core.errors import invalid, missing
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World
from simulator.resources import tax_rates
from simulator.resources.invoices import lines as invoice_lines

KIND = "credit_note_line_item"


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Put the tax rates in."""
    rates = [world.store.find("tax_rate", id_) for id_ in body["tax_rates"]]
    body["tax_rates"] = [world.public(row) for row in rates if row is not None]


def fill(tx: Transaction, note: Object, invoice: Object, given: Object) -> int:
    """
    Make a credit note's lines and sums; return its total.

    :raises StripeError: if neither amount nor lines are given, or a line is credited by more
        than it is.
    """
    lines = []
    if given.get("lines"):
        for number, one in enumerate(given["lines"]):
            lines.append(_line(tx, note, invoice, one, f"lines[{number}]"))
    elif given.get("amount") is not None:
        lines.append(_whole(tx, note, given["amount"], given.get("memo")))
    else:
        total = sum(given.get(n) or 0 for n in ("credit_amount", "refund_amount"))
        total += given.get("out_of_band_amount") or 0
        if not total:
            raise missing("amount")
        lines.append(_whole(tx, note, total, given.get("memo")))
    return _add_up(note, lines)


def _whole(tx: Transaction, note: Object, amount: int, memo: str | None) -> Object:
    """Make the one line of a credit note that is only an amount."""
    return tx.new(
        KIND,
        amount=amount,
        description=memo or "Credit",
        quantity=1,
        type="custom_line_item",
        unit_amount=amount,
        unit_amount_decimal=str(amount),
        _note=note["id"],
    )


def _line(tx: Transaction, note: Object, invoice: Object, one: Object, path: str) -> Object:
    if one.get("tax_amounts"):
        raise invalid("This simulator has tax rates only.", param=f"{path}[tax_amounts]")
    if one["type"] == "custom_line_item":
        return _custom(tx, note, one, path)
    source = tx.get(invoice_lines.KIND, one.get("invoice_line_item") or "", path)
    if source["invoice"] != invoice["id"]:
        raise invalid("The line is another invoice's.", param=f"{path}[invoice_line_item]")
    amount = _amount_of(one, source, path)
    credited = tx.where(KIND, invoice_line_item=source["id"], _is_void=False)
    if amount + sum(line["amount"] for line in credited) > source["amount"]:
        raise invalid(
            f"The line {source['id']} cannot be credited by more than its amount "
            f"({source['amount']}).",
            param=path,
        )
    taken = [
        {**found, "amount": rounded(found["amount"] * amount, source["amount"])}
        for found in source["discount_amounts"]
    ]
    line = tx.new(
        KIND,
        amount=amount,
        description=one.get("description") or source["description"],
        discount_amounts=taken,
        discount_amount=sum(found["amount"] for found in taken),
        invoice_line_item=source["id"],
        metadata=merged_metadata(None, one.get("metadata")),
        pretax_credit_amounts=[{**found, "type": "discount"} for found in taken],
        quantity=one.get("quantity"),
        type="invoice_line_item",
        _note=note["id"],
        _is_void=False,
    )
    line["tax_rates"] = [tax["tax_rate_details"]["tax_rate"] for tax in source["taxes"]]
    return _tax(tx, line)


def _amount_of(one: Object, source: Object, path: str) -> int:
    if one.get("amount") is not None:
        return int(one["amount"])
    if one.get("quantity") is None:
        raise missing(f"{path}[quantity]")
    return rounded(source["amount"] * int(one["quantity"]), source["quantity"] or 1)


def _custom(tx: Transaction, note: Object, one: Object, path: str) -> Object:
    decimal = one.get("unit_amount_decimal") or one.get("unit_amount")
    if decimal is None and one.get("amount") is None:
        raise missing(f"{path}[unit_amount]")
    quantity = one.get("quantity") or 1
    amount = one.get("amount")
    if amount is None:
        amount = int((Decimal(decimal or 0) * quantity).quantize(Decimal(1), ROUND_HALF_UP))
    line = tx.new(
        KIND,
        amount=amount,
        description=one.get("description"),
        metadata=merged_metadata(None, one.get("metadata")),
        quantity=quantity,
        tax_rates=tax_rates.check(tx, one.get("tax_rates"), f"{path}[tax_rates]"),
        type="custom_line_item",
        unit_amount=one.get("unit_amount"),
        unit_amount_decimal=None if decimal is None else str(decimal),
        _note=note["id"],
    )
    return _tax(tx, line)


def _tax(tx: Transaction, line: Object) -> Object:
    rates = tax_rates.rates(tx, line["tax_rates"])
    line["taxes"] = invoice_lines.taxes_of(line["amount"] - line["discount_amount"], rates)
    return line


def _add_up(note: Object, lines: list[Object]) -> int:
    taxes = [tax for line in lines for tax in line["taxes"] or ()]
    inside = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    on_top = sum(tax["amount"] for tax in taxes) - inside
    subtotal = sum(line["amount"] for line in lines)
    taken = sum(line["discount_amount"] for line in lines)
    total: int = subtotal - taken + on_top
    note.update(
        amount=total,
        discount_amount=taken,
        discount_amounts=[one for line in lines for one in line["discount_amounts"]],
        pretax_credit_amounts=[one for line in lines for one in line["pretax_credit_amounts"]],
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal - inside,
        total=total,
        total_excluding_tax=total - on_top - inside,
        total_taxes=taxes,
    )
    return total
