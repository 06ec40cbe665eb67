"""The hosted page of an invoice: what is owed and for what, and where it is paid."""

from simulator import cards
from simulator.core.call import Call
from simulator.core.errors import StripeError
from simulator.core.http import Response, as_html, redirect
from simulator.core.routing import page
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.pages.looks import amount, document, table, text
from simulator.resources import payment_methods
from simulator.resources.invoices import collecting, invoicing
from simulator.resources.invoices import lines as invoice_lines


@page("GET", "/_sim/invoices/{invoice}")
def show(call: Call) -> Response:
    """Show an invoice, with a form as long as it can be paid."""
    return _answer(call.tx, call.tx.get(invoicing.KIND, call.path["invoice"]))


@page("GET", "/_sim/invoices/{invoice}/pdf")
def printed(call: Call) -> Response:
    """Lead to the page: there is no PDF here, and a browser prints the page."""
    return redirect(f"/_sim/invoices/{call.path['invoice']}")


@page("POST", "/_sim/invoices/{invoice}")
def pay(call: Call) -> Response:
    """Pay an invoice by a test card; a decline is shown, and leaves it open."""
    tx = call.tx
    invoice = tx.get(invoicing.KIND, call.path["invoice"])
    url = f"/_sim/invoices/{invoice['id']}"
    if invoice["status"] not in ("open", "uncollectible"):
        return redirect(url)
    try:
        card = cards.by_number(str(call.get("number", "")), "number")
        method = payment_methods.make(tx, card)
        collecting.collect(tx, invoice, method["id"], off_session=False)
    except StripeError as error:
        return _answer(tx, invoice, str(error))
    intent = tx.get("payment_intent", invoice["_intent"])
    if intent["status"] == "requires_action":
        intent["_return_url"] = f"{tx.base_url}{url}"
        return redirect(f"/_sim/authenticate/{intent['id']}")
    return redirect(url)


def _answer(tx: Transaction, invoice: Object, error: str = "") -> Response:
    currency = invoice["currency"]
    rows = [
        (text(line["description"] or "Item"), text(line["quantity"]),
         amount(line["amount"], currency))
        for line in invoice_lines.of_invoice(tx, invoice)
    ]  # fmt: skip
    sums = [
        ("Subtotal", invoice["subtotal"]),
        ("Total", invoice["total"]),
        ("Paid", invoice["amount_paid"]),
        ("Still to pay", invoice["amount_remaining"]),
    ]
    name = text(invoice["customer_name"] or invoice["customer"])
    body = f"<p>{name} · <strong>{text(invoice['status'])}</strong></p>"
    body += table("What it is for", ("Description", "Quantity", "Amount"), rows)
    body += table("Sums", ("", "Amount"), [(name, amount(n, currency)) for name, n in sums])
    if error:
        body += f"<p class='error' role='alert'>{text(error)}</p>"
    if invoice["status"] in ("open", "uncollectible"):
        body += f"""<form method="post">
<label>Test card number <input name="number" inputmode="numeric" autocomplete="off" required
 value="4242424242424242"></label>
<button class="primary">Pay {amount(invoice["amount_remaining"], currency)}</button></form>"""
    return as_html(document(f"Invoice {invoice['number'] or 'draft'}", body))
