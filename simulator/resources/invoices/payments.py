"""Payments of invoices: which intent pays which invoice."""

from simulator.core.call import Call
from simulator.core.errors import invalid, missing
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.resources.invoices import invoicing
from simulator.resources.invoices.collecting import KIND, cancel


@route("GET", "/v1/invoice_payments")
def index(call: Call) -> Object:
    """List payments of invoices."""
    intent = call.get("payment", {}).get("payment_intent")

    def keep(payment: Object) -> bool:
        return intent is None or payment["_payment_intent"] == intent

    return call.page(KIND, match=("invoice", "status"), keep=keep)


@route("GET", "/v1/invoice_payments/{invoice_payment}")
def read(call: Call) -> Object:
    """Return a payment of an invoice."""
    return call.tx.get(KIND, call.path["invoice_payment"])


@route("POST", "/v1/invoices/{invoice}/attach_payment")
def attach(call: Call) -> Object:
    """Pay an invoice by an intent that was made for itself, now or when it succeeds."""
    tx = call.tx
    invoice = tx.get(invoicing.KIND, call.path["invoice"])
    if invoice["status"] not in ("open", "uncollectible"):
        raise invoicing.not_editable("Payments can be attached to open invoices only.")
    if call.get("payment_intent") is None:
        raise missing("payment_intent")
    intent = tx.get("payment_intent", call["payment_intent"], "payment_intent")
    if intent["customer"] not in (None, invoice["customer"]):
        raise invalid("The PaymentIntent is another customer's.", param="payment_intent")
    if intent["status"] == "canceled" or intent["amount"] != invoice["amount_remaining"]:
        raise invalid(
            "The PaymentIntent must not be canceled, and be for what remains of the invoice: "
            f"{invoice['amount_remaining']}.",
            param="payment_intent",
        )
    made = tx.new(
        KIND,
        clock=invoice["test_clock"],
        amount_requested=intent["amount"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=False,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
        _payment_intent=intent["id"],
    )
    intent["_invoice"] = invoice["id"]
    if intent["status"] == "succeeded":
        settle(call, invoice, made, intent)
    return invoice


def settle(call: Call, invoice: Object, made: Object, intent: Object) -> None:
    """Note that an attached intent had been paid already; the other one is given up."""
    tx = call.tx
    made.update(status="paid", amount_paid=intent["amount_received"])
    made["status_transitions"]["paid_at"] = tx.now(invoice["test_clock"])
    cancel(tx, invoice)
    tx.emit("invoice_payment.paid", made)
    invoicing.mark_paid(tx, invoice)
