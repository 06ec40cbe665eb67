"""What is done with invoices: made final, sent, paid, voided, given up."""

from simulator.core.call import Call
from simulator.core.errors import StripeError, invalid
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import payment_methods
from simulator.resources.invoices import collecting, invoicing
from simulator.resources.invoices.routes import KIND, own_method


@route("POST", "/v1/invoices/{invoice}/finalize")
def finalize(call: Call) -> Object:
    """Make a draft final; one that advances by itself is charged or sent at once."""
    invoice = call.tx.get(KIND, call.path["invoice"])
    invoicing.finalize(call.tx, invoice, auto_advance=call.get("auto_advance"))
    collecting.proceed(call.tx, invoice)
    return invoice


@route("POST", "/v1/invoices/{invoice}/send")
def send(call: Call) -> Object:
    """Send an invoice: nobody gets mail from here, but the event is told."""
    invoice = call.tx.get(KIND, call.path["invoice"])
    if invoice["collection_method"] != "send_invoice":
        raise invalid(
            "You can only manually send an invoice if its collection method is 'send_invoice'."
        )
    if invoice["status"] == "draft":
        invoicing.finalize(call.tx, invoice)
    _check_status(invoice, ("open", "paid", "uncollectible"), "sent")
    call.tx.emit("invoice.sent", invoice)
    return invoice


@route("POST", "/v1/invoices/{invoice}/void")
def void(call: Call) -> Object:
    """Void an invoice for good; credit that it used goes back."""
    invoice = call.tx.get(KIND, call.path["invoice"])
    _check_status(invoice, ("open", "uncollectible"), "voided")
    invoicing.void(call.tx, invoice)
    return invoice


@route("POST", "/v1/invoices/{invoice}/mark_uncollectible")
def mark_uncollectible(call: Call) -> Object:
    """Give up hope for an invoice. It may still be paid."""
    invoice = call.tx.get(KIND, call.path["invoice"])
    _check_status(invoice, ("open",), "marked as uncollectible")
    invoicing.mark_uncollectible(call.tx, invoice)
    return invoice


def _check_status(invoice: Object, wanted: tuple[str, ...], done: str) -> None:
    if invoice["status"] not in wanted:
        raise invoicing.not_editable(
            f"Only invoices that are {' or '.join(wanted)} can be {done}; this one is "
            f"{invoice['status']}."
        )


@route("POST", "/v1/invoices/{invoice}/pay")
def pay(call: Call) -> Object:
    """Pay an invoice now."""
    tx = call.tx
    invoice = tx.get(KIND, call.path["invoice"])
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "void":
        raise invoicing.not_editable("Invoice is voided: it can no longer be paid.")
    if invoice["status"] == "draft":
        invoicing.finalize(tx, invoice)
    if invoice["status"] == "paid":
        return invoice
    if call.get("paid_out_of_band"):
        collecting.cancel(tx, invoice)
        invoicing.mark_paid(tx, invoice)
        return invoice
    given = call.get("payment_method") or call.get("source")
    method = _given_method(tx, invoice, given) if given else None
    collecting.collect(tx, invoice, method, off_session=call.get("off_session", True))
    if invoice["status"] != "paid":
        raise _needs_action(tx, invoice)
    return invoice


def _given_method(tx: Transaction, invoice: Object, id_: str) -> str:
    method = payment_methods.find(tx, id_)
    if method["customer"] is None:
        return str(method["id"])
    return own_method(tx, invoice["customer"], id_, "payment_method")


def _needs_action(tx: Transaction, invoice: Object) -> StripeError:
    intent = tx.get("payment_intent", invoice["_intent"])
    return StripeError(
        402,
        "card_error",
        "This payment requires additional user action before it can be completed successfully. "
        "Payment can be completed using the PaymentIntent associated with the invoice.",
        code="invoice_payment_intent_requires_action",
        keeps_effects=True,
        payment_intent=tx.public(intent),
    )
