"""
Credit notes: a final invoice is lowered, or what was paid for it is given back.

Never by more than the invoice: what is still owed is lowered first, and what was paid goes
back as a refund, as credit of the customer, or outside of Stripe.
"""

from typing import Any

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid, missing
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import list_of, view
from simulator.core.world import World
from simulator.resources import customer_balance
from simulator.resources import refunds as refunding
from simulator.resources.invoices import collecting, credit_note_lines, invoicing, previewing
from simulator.resources.invoices.line_routes import page

KIND = "credit_note"


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Put the lines in."""
    rows = world.store.kinds[credit_note_lines.KIND].matching({"_note": body["id"]})
    shown = [world.public(row) for row in rows[:10]]
    url = f"/v1/credit_notes/{body['id']}/lines"
    body["lines"] = {**list_of(shown, url), "has_more": len(rows) > 10}


@route("POST", "/v1/credit_notes")
def create(call: Call) -> Object:
    """Credit an invoice, wholly or in part."""
    call.get("email_type")  # nobody gets mail from here
    return _create(call.tx, call.params)


@route("GET", "/v1/credit_notes/preview")
def preview(call: Call) -> Object:
    """Return the credit note that would be made."""
    call.get("email_type")
    body: Object = previewing.undone(call.tx, lambda tx: _create(tx, call.params))
    return body


@route("GET", "/v1/credit_notes/preview/lines")
def preview_lines(call: Call) -> Object:
    """Return the lines of the credit note that would be made."""
    call.get("limit")
    body: Object = preview(call)["lines"]
    return {**body, "url": call.request.path}


def _create(tx: Transaction, given: Object) -> Object:
    for name in ("shipping_cost", "effective_at"):
        if given.get(name):
            raise invalid(f"This simulator does not do `{name}`.", param=name)
    invoice = tx.get(invoicing.KIND, given["invoice"], "invoice")
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise invalid(
            "You can only create credit notes for invoices that are open or paid; this one is "
            f"{invoice['status']}.",
            param="invoice",
        )
    note = _make(tx, invoice, given)
    total = credit_note_lines.fill(tx, note, invoice, given)
    _check_total(tx, invoice, note)
    before = min(total, invoice["amount_remaining"])
    note.update(pre_payment_amount=before, post_payment_amount=total - before)
    note["type"] = _type(before, total - before)
    parts = _parts(given, total - before)
    if before:
        _lower(tx, invoice, before)
    _give_back(tx, invoice, note, given, parts)
    tx.emit("credit_note.created", note)
    tx.emit("invoice.updated", invoice)
    return note


def _make(tx: Transaction, invoice: Object, given: Object) -> Object:
    now = tx.now(invoice["test_clock"])
    number = len(tx.where(KIND, invoice=invoice["id"])) + 1
    note = tx.new(
        KIND,
        clock=invoice["test_clock"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        effective_at=now,
        invoice=invoice["id"],
        memo=given.get("memo"),
        metadata=merged_metadata(None, given.get("metadata")),
        number=f"{invoice['number']}-CN-{number:02d}",
        out_of_band_amount=given.get("out_of_band_amount"),
        reason=given.get("reason"),
        status="issued",
        type="pre_payment",
    )
    note["pdf"] = f"{tx.base_url}/_sim/credit_notes/{note['id']}/pdf"
    return note


def _type(before: int, after: int) -> str:
    if before and after:
        return "mixed"
    return "post_payment" if after else "pre_payment"


def _check_total(tx: Transaction, invoice: Object, note: Object) -> None:
    """
    Refuse to credit more than the invoice is about.

    :raises StripeError: if it is nothing, or more than is left.
    """
    total = note["total"]
    if total <= 0:
        raise invalid("The credit note amount must be greater than zero.", param="amount")
    notes = tx.where(KIND, invoice=invoice["id"], status="issued")
    left = invoice["total"] - sum(one["total"] for one in notes if one is not note)
    if total > left:
        raise invalid(
            f"The credit note amount ({total}) is greater than what is left to credit of the "
            f"invoice ({left}).",
            param="amount",
        )


def _parts(given: Object, after: int) -> Object:
    """
    Return in which ways what was paid goes back.

    :raises StripeError: if they do not add up to what goes back.
    """
    linked = sum(_amount_of(one) for one in given.get("refunds") or ())
    names = ("credit_amount", "out_of_band_amount", "refund_amount")
    parts = {name: given.get(name) or 0 for name in names}
    if sum(parts.values()) + linked != after:
        raise invalid(
            "The sum of credit_amount, refund_amount, out_of_band_amount and refunds must equal "
            f"what was paid and is credited: {after}.",
        )
    return parts


def _amount_of(refund: Object) -> int:
    if refund.get("amount_refunded") is None:
        raise missing("refunds[amount_refunded]")
    return int(refund["amount_refunded"])


def _lower(tx: Transaction, invoice: Object, amount: int) -> None:
    """Let an invoice ask for less; nothing left to pay makes it paid."""
    invoice["pre_payment_credit_notes_amount"] += amount
    invoice["amount_due"] -= amount
    invoice["amount_remaining"] -= amount
    if invoice["amount_remaining"] == 0:
        collecting.cancel(tx, invoice)
        invoicing.mark_paid(tx, invoice)
    else:
        collecting.change_amount(tx, invoice)


def _give_back(
    tx: Transaction, invoice: Object, note: Object, given: Object, parts: Object
) -> None:
    invoice["post_payment_credit_notes_amount"] += note["post_payment_amount"]
    if parts["credit_amount"]:
        note["customer_balance_transaction"] = _credit(tx, invoice, note, -parts["credit_amount"])
    if parts["refund_amount"]:
        refund = _refund(tx, invoice, parts["refund_amount"])
        note["refunds"] = [_linked(refund["id"], refund["amount"])]
    for number, one in enumerate(given.get("refunds") or ()):
        refund = tx.get(refunding.KIND, one.get("refund") or "", f"refunds[{number}][refund]")
        if one["amount_refunded"] > refund["amount"]:
            raise invalid("That is more than the refund.", param=f"refunds[{number}]")
        note["refunds"].append(_linked(refund["id"], one["amount_refunded"]))


def _linked(refund: str, amount: int) -> Object:
    return {
        "amount_refunded": amount,
        "payment_record_refund": None,
        "refund": refund,
        "type": "refund",
    }


def _credit(tx: Transaction, invoice: Object, note: Object, amount: int) -> str:
    customer = tx.get("customer", invoice["customer"])
    fields: dict[str, Any] = {"credit_note": note["id"], "invoice": invoice["id"]}
    currency = invoice["currency"]
    moved = customer_balance.move(tx, customer, amount, currency, "credit_note", **fields)
    tx.emit("customer.updated", customer)
    tx.emit("customer_balance_transaction.created", moved)
    return str(moved["id"])


def _refund(tx: Transaction, invoice: Object, amount: int) -> Object:
    """
    Refund what an invoice was paid with.

    :raises StripeError: if it was not paid by card, or that has been refunded.
    """
    for made in tx.where(collecting.KIND, invoice=invoice["id"], status="paid"):
        intent = tx.get("payment_intent", made["_payment_intent"])
        return refunding.make(tx, tx.get("charge", intent["latest_charge"]), amount)
    raise _not_paid()


def _not_paid() -> StripeError:
    return invalid(
        "The invoice was not paid with a charge, so there is nothing to refund.",
        param="refund_amount",
    )


@route("GET", "/v1/credit_notes")
def index(call: Call) -> Object:
    """List credit notes."""
    return call.page(KIND, match=("customer", "invoice"))


@route("GET", "/v1/credit_notes/{id}")
def read(call: Call) -> Object:
    """Return a credit note."""
    return call.tx.get(KIND, call.path["id"])


@route("GET", "/v1/credit_notes/{credit_note}/lines")
def lines(call: Call) -> Object:
    """List a credit note's lines."""
    note = call.tx.get(KIND, call.path["credit_note"])
    return page(
        call, call.tx.where(credit_note_lines.KIND, _note=note["id"]), credit_note_lines.KIND
    )


@route("POST", "/v1/credit_notes/{id}")
def update(call: Call) -> Object:
    """Change a credit note's words."""
    note = call.tx.get(KIND, call.path["id"])
    note.update(call.only("memo"))
    if "metadata" in call.params:
        note["metadata"] = merged_metadata(note["metadata"], call["metadata"])
    call.tx.emit("credit_note.updated", note)
    return note


@route("POST", "/v1/credit_notes/{id}/void")
def void(call: Call) -> Object:
    """Take a credit note back; only one that lowered an open invoice can be."""
    tx = call.tx
    note = tx.get(KIND, call.path["id"])
    invoice = tx.get(invoicing.KIND, note["invoice"])
    if note["status"] == "void":
        raise invalid("This credit note is void already.")
    if note["type"] != "pre_payment" or invoice["status"] != "open":
        raise invalid("You can only void a credit note of an invoice that is open.")
    note.update(status="void", voided_at=tx.now(invoice["test_clock"]))
    for line in tx.where(credit_note_lines.KIND, _note=note["id"]):
        line["_is_void"] = True
    amount = note["pre_payment_amount"]
    invoice["pre_payment_credit_notes_amount"] -= amount
    invoice["amount_due"] += amount
    invoice["amount_remaining"] += amount
    collecting.change_amount(tx, invoice)
    tx.emit("credit_note.voided", note)
    tx.emit("invoice.updated", invoice)
    return note
