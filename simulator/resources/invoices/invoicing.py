"""
How invoices come to be: a draft with lines, its sums, and the moment it becomes final.

Subscriptions make invoices by these functions, and so do those who call the API by hand.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from simulator.arithmetic.settlement import settle
from simulator.core.errors import StripeError, invalid
from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import customer_balance
from simulator.resources.invoices import lines as invoice_lines

KIND = "invoice"
DRAFT_SECONDS = 3600  # after which a draft that advances by itself becomes final
DAY = 86_400
FINALIZE, RETRY, OVERDUE = "invoice.finalize", "invoice.retry", "invoice.overdue"

type Told = Callable[[Transaction, Object], None]

# What happens to an invoice that has become final with something to pay; see collecting.
ON_FINAL: list[Told] = []
ON_OVERDUE: list[Told] = []
ON_PAID: list[Told] = []
ON_VOID: list[Told] = []


def make(
    tx: Transaction, customer: Object, currency: str, billing_reason: str, **fields: Any
) -> Object:
    """Make an empty draft. `announce` tells of it once its lines are there."""
    clock = customer["test_clock"]
    now = tx.now(clock)
    if customer["currency"] is None:
        customer["currency"] = currency
    invoice = tx.new(
        KIND,
        clock=clock,
        account_country="US",
        account_name="Simulator",
        automatic_tax=automatic_tax(),
        billing_reason=billing_reason,
        collection_method="charge_automatically",
        currency=currency,
        customer=customer["id"],
        default_tax_rates=[],
        discounts=[],
        issuer={"type": "self"},
        payment_settings=dict.fromkeys(
            ("default_mandate", "payment_method_options", "payment_method_types")
        ),
        period_start=now,
        period_end=now,
        starting_balance=customer["balance"],
        status="draft",
        test_clock=clock,
        _discounted_at=now,
    )
    _copy_customer(tx, invoice, customer)
    invoice.update(fields)
    return invoice


def automatic_tax() -> Object:
    """Return that taxes are not found by Stripe: this simulator has entered rates only."""
    names = ("disabled_reason", "liability", "provider", "status")
    return {**dict.fromkeys(names), "enabled": False}


def _copy_customer(tx: Transaction, invoice: Object, customer: Object) -> None:
    for name in ("address", "email", "name", "phone", "shipping", "tax_exempt"):
        invoice[f"customer_{name}"] = customer[name]
    invoice["customer_tax_ids"] = [
        {"type": row["type"], "value": row["value"]}
        for row in tx.where("tax_id", customer=customer["id"])
    ]
    settings = customer["invoice_settings"]
    invoice["custom_fields"] = settings["custom_fields"]
    invoice["footer"] = settings["footer"]


def announce(tx: Transaction, invoice: Object) -> Object:
    """Reckon a new draft and tell of it; let it become final by itself if it is to."""
    recompute(tx, invoice)
    advance_later(tx, invoice)
    tx.emit("invoice.created", invoice)
    return invoice


def advance_later(tx: Transaction, invoice: Object) -> None:
    """Ask for a draft to become final in an hour, or no longer."""
    tx.unschedule(invoice["id"], FINALIZE)
    invoice["automatically_finalizes_at"] = None
    if invoice["auto_advance"] and invoice["status"] == "draft":
        due = tx.now(invoice["test_clock"]) + DRAFT_SECONDS
        invoice["automatically_finalizes_at"] = due
        tx.schedule(due, FINALIZE, invoice["id"], invoice["test_clock"])


def recompute(tx: Transaction, invoice: Object) -> None:
    """Add up a draft."""
    lines = invoice_lines.reckon(tx, invoice)
    invoice.update(sums(lines))
    customer = tx.get("customer", invoice["customer"])
    invoice["starting_balance"] = customer["balance"]
    due, _ = _settled(invoice, customer)
    invoice.update(amount_due=due, amount_remaining=due)


def sums(lines: list[Object]) -> Object:
    """Return the sums over lines that `reckon` has been through."""
    subtotal = sum(line["amount"] for line in lines)
    taken: Counter[str] = Counter()
    taxed: dict[tuple[str, str], Object] = {}
    for line in lines:
        for one in line["discount_amounts"]:
            taken[one["discount"]] += one["amount"]
        for tax in line["taxes"]:
            key = (tax["tax_rate_details"]["tax_rate"], tax["tax_behavior"])
            found = taxed.setdefault(key, {**tax, "amount": 0, "taxable_amount": 0})
            found["amount"] += tax["amount"]
            found["taxable_amount"] += tax["taxable_amount"]
    inside = sum(tax["amount"] for tax in taxed.values() if tax["tax_behavior"] == "inclusive")
    on_top = sum(tax["amount"] for tax in taxed.values()) - inside
    total = subtotal - sum(taken.values()) + on_top
    amounts = [{"amount": amount, "discount": id_} for id_, amount in taken.items()]
    return {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inside,
        "total": total,
        "total_discount_amounts": amounts,
        "total_excluding_tax": total - on_top - inside,
        "total_pretax_credit_amounts": [{**one, "type": "discount"} for one in amounts],
        "total_taxes": list(taxed.values()),
    }


def _settled(invoice: Object, customer: Object) -> tuple[int, int]:
    is_charged = invoice["collection_method"] == "charge_automatically"
    currency = invoice["currency"]
    return settle(invoice["total"], customer["balance"], currency, is_charged=is_charged)


def check_draft(invoice: Object, doing: str = "edited") -> None:
    """
    Refuse to touch a final invoice.

    :raises StripeError: if the invoice is no draft.
    """
    if invoice["status"] != "draft":
        raise not_editable(f"Only draft invoices can be {doing}; this one is {invoice['status']}.")


def not_editable(message: str) -> StripeError:
    """Return the 400 for an invoice that is past what is asked of it."""
    return invalid(message, code="invoice_not_editable")


def finalize(tx: Transaction, invoice: Object, *, auto_advance: bool | None = None) -> None:
    """
    Make a draft final: it gets its number, and its sums are what is owed from now on.

    :raises StripeError: if it is no draft.
    """
    if invoice["status"] != "draft":
        raise not_editable(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        )
    if auto_advance is not None:
        invoice["auto_advance"] = auto_advance
    recompute(tx, invoice)
    tx.unschedule(invoice["id"], FINALIZE)
    now = tx.now(invoice["test_clock"])
    invoice.update(status="open", automatically_finalizes_at=None)
    invoice["effective_at"] = invoice["effective_at"] or now
    invoice["status_transitions"]["finalized_at"] = now
    _use_balance(tx, invoice)
    _number(tx, invoice, now)
    if invoice["amount_due"] > 0:
        for told in ON_FINAL:
            told(tx, invoice)
    tx.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        mark_paid(tx, invoice)


def _use_balance(tx: Transaction, invoice: Object) -> None:
    customer = tx.get("customer", invoice["customer"])
    due, after = _settled(invoice, customer)
    change = after - customer["balance"]
    if change:
        moved = customer_balance.move(
            tx,
            customer,
            change,
            invoice["currency"],
            "invoice_too_small" if change > 0 and due == 0 else "applied_to_invoice",
            invoice=invoice["id"],
        )
        tx.emit("customer.updated", customer)
        tx.emit("customer_balance_transaction.created", moved)
    invoice.update(amount_due=due, amount_remaining=due, ending_balance=after)


def _number(tx: Transaction, invoice: Object, now: int) -> None:
    customer = tx.get("customer", invoice["customer"])
    if invoice["number"] is None:
        sequence = customer["next_invoice_sequence"]
        invoice["number"] = f"{customer['invoice_prefix']}-{sequence:04d}"
        customer["next_invoice_sequence"] = sequence + 1
    url = f"{tx.base_url}/_sim/invoices/{invoice['id']}"
    invoice.update(hosted_invoice_url=url, invoice_pdf=f"{url}/pdf")
    if invoice["collection_method"] == "send_invoice":
        if invoice["due_date"] is None:
            invoice["due_date"] = now + (invoice.get("_days_until_due") or 0) * DAY
        tx.schedule(invoice["due_date"], OVERDUE, invoice["id"], invoice["test_clock"])


@timer(OVERDUE)
def tell_overdue(tx: Transaction, id_: str) -> None:
    """Tell that an invoice should have been paid by now."""
    invoice = tx.find(KIND, id_)
    if invoice is not None and invoice["status"] == "open":
        tx.emit("invoice.overdue", invoice)
        for told in ON_OVERDUE:
            told(tx, invoice)


def mark_paid(tx: Transaction, invoice: Object) -> None:
    """Note that nothing is left to pay."""
    now = tx.now(invoice["test_clock"])
    tx.unschedule(invoice["id"])
    invoice.update(
        status="paid",
        attempted=True,
        next_payment_attempt=None,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
    )
    invoice["status_transitions"]["paid_at"] = now
    tx.emit("invoice.paid", invoice)
    tx.emit("invoice.payment_succeeded", invoice)
    for told in ON_PAID:
        told(tx, invoice)


def take_pending(tx: Transaction, invoice: Object, items: list[Object]) -> None:
    """Put pending items on a draft."""
    for item in items:
        invoice_lines.of_item(tx, invoice, item)


def void(tx: Transaction, invoice: Object) -> None:
    """Void an invoice: what it took of the customer's balance goes back."""
    _end(tx, invoice, "void", "voided_at")
    used = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if used:
        customer = tx.get("customer", invoice["customer"])
        moved = customer_balance.move(
            tx,
            customer,
            -used,
            invoice["currency"],
            "unapplied_from_invoice",
            invoice=invoice["id"],
        )
        tx.emit("customer.updated", customer)
        tx.emit("customer_balance_transaction.created", moved)
    tx.emit("invoice.voided", invoice)
    for told in ON_VOID:
        told(tx, invoice)


def mark_uncollectible(tx: Transaction, invoice: Object) -> None:
    """Give up hope for an invoice; its intent may still be paid."""
    _end(tx, invoice, "uncollectible", "marked_uncollectible_at")
    tx.emit("invoice.marked_uncollectible", invoice)


def _end(tx: Transaction, invoice: Object, status: str, at: str) -> None:
    tx.unschedule(invoice["id"])
    invoice.update(status=status, next_payment_attempt=None)
    invoice["status_transitions"][at] = tx.now(invoice["test_clock"])
