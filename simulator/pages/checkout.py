"""The hosted Checkout page: what is bought, how it is paid, and what became of it."""

import re
from urllib.parse import quote

from simulator.core.call import Call
from simulator.core.errors import StripeError, invalid
from simulator.core.http import Response, as_html, redirect
from simulator.core.routing import page
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.pages import forms
from simulator.pages.looks import amount, document, text
from simulator.resources.checkout import changes as checkout_changes
from simulator.resources.checkout import completion
from simulator.resources.checkout import lines as checkout_lines

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
BUTTONS = {"subscription": "Subscribe", "setup": "Save card"}
TITLES = {"payment": "Pay", "subscription": "Subscribe", "setup": "Save a card"}


@page("GET", "/c/pay/{session}")
def show(call: Call) -> Response:
    """Show what is bought, or go on if that is over."""
    session = call.tx.get(completion.KIND, call.path["session"])
    message = None
    intent = completion.intent_of(call.tx, session)
    if session["status"] == "open" and intent is not None:
        if intent["status"] in ("requires_capture", "processing", "succeeded"):
            completion.settle(call.tx, session)
        elif call.params.get("redirect_status") == "failed":
            refusal = intent.get("last_payment_error") or intent.get("last_setup_error") or {}
            message = refusal.get("message", "You were not authenticated.")
    return _shown(call, session, message)


@page("POST", "/c/pay/{session}")
def pay(call: Call) -> Response:
    """Take the buyer's choice; a second press finds that all is done."""
    tx = call.tx
    session = tx.get(completion.KIND, call.path["session"])
    if session["status"] != "open":
        return _shown(call, session)
    try:
        if call.params.get("action") == "apply":
            checkout_changes.apply_code(tx, session, str(call.params.get("code", "")))
            return _shown(call, session)
        _set_quantities(call, session)
        if call.params.get("action") == "update":
            return _shown(call, session)
        intent = _pay(call, session)
    except StripeError as error:
        if not error.keeps_effects:
            if error.status not in (400, 402):
                raise
            tx.undo()
        return _shown(call, session, completion.refusal_of(error), status=402)
    if intent is not None:
        return redirect(intent["next_action"]["redirect_to_url"]["url"])
    return _shown(call, session)


def _pay(call: Call, session: Object) -> Object | None:
    details = _details(call, session)
    method = None
    if completion.needs_method(session):
        method = forms.chosen_method(call.tx, call.params, session["customer"], details)
    return completion.attempt(call.tx, session, method, details)


def _details(call: Call, session: Object) -> Object:
    known = _email(call.tx, session)
    email = known or str(call.params.get("email", "")).strip()
    if not EMAIL.fullmatch(email):
        raise invalid("Type your email address: the receipt is sent there.", param="email")
    name = str(call.params.get("name", "")).strip()[:100]
    return {"email": email, **({"name": name} if name else {})}


def _email(tx: Transaction, session: Object) -> str | None:
    """Return the address that is known already and cannot be changed here."""
    customer = tx.find("customer", session["customer"]) or {}
    email: str | None = customer.get("email") or session["customer_email"]
    return email


def _set_quantities(call: Call, session: Object) -> None:
    wanted = {
        name.removeprefix("quantity_"): int(value)
        for name, value in call.params.items()
        if name.startswith("quantity_") and isinstance(value, str) and value.isdecimal()
    }
    if wanted:
        checkout_changes.set_quantities(call.tx, session, wanted)


def _shown(call: Call, session: Object, message: str | None = None, status: int = 200) -> Response:
    if session["status"] == "complete":
        target = return_url(session)
        if target is not None:
            return redirect(target)
        return as_html(document("Thank you", "<p>All is done. You can close this page.</p>"))
    if session["status"] == "expired":
        return as_html(document("This page has expired", _way_back(session)), 410)
    body = f"{forms.error(message)}{_summary(call.tx, session)}{_form(call, session)}"
    return as_html(document(TITLES[session["mode"]], body + _way_back(session)), status)


def return_url(session: Object) -> str | None:
    """Return where the buyer goes after a purchase, with the session's id put in."""
    url: str | None = session["success_url"] or session["return_url"]
    if url is None:
        return None
    for placeholder in ("{CHECKOUT_SESSION_ID}", quote("{CHECKOUT_SESSION_ID}")):
        url = url.replace(placeholder, session["id"])
    return url


def _way_back(session: Object) -> str:
    url = session["cancel_url"]
    if not url:
        return ""
    return f'<p><a href="{text(url)}">Go back without buying</a></p>'


def _summary(tx: Transaction, session: Object) -> str:
    if session["mode"] == "setup":
        return "<p>Your card is saved for later. Nothing is charged now.</p>"
    currency = session["currency"]
    rows = "".join(_row(tx, line) for line in checkout_lines.of(tx, session))
    details = session["total_details"]
    extra = [
        ("Discount", -details["amount_discount"]),
        ("Shipping", details["amount_shipping"]),
        ("Tax", details["amount_tax"]),
    ]
    rows += "".join(_extra(name, value, currency) for name, value in extra if value)
    total = amount(session["amount_total"], currency)
    return f"""
<div class="scroll"><table><caption class="muted">What you buy</caption>
<thead><tr><th scope="col">Item</th><th scope="col" class="number">Amount</th></tr></thead>
<tbody>{rows}</tbody>
<tfoot><tr><th scope="row">Due now</th><td class="number"><strong>{total}</strong></td></tr></tfoot>
</table></div>"""


def _row(tx: Transaction, line: Object) -> str:
    recurring = checkout_lines.price_of(tx, line)["recurring"]
    often = f", every {_often(recurring)}" if recurring else ""
    many = "" if line["quantity"] in (None, 1) else f" × {line['quantity']}"
    due = amount(line["amount_subtotal"], line["currency"])
    return (
        f'<tr><th scope="row">{text(line["description"])}{many}'
        f'<span class="muted">{often}</span></th><td class="number">{due}</td></tr>'
    )


def _often(recurring: Object) -> str:
    count = recurring["interval_count"]
    return str(recurring["interval"]) if count == 1 else f"{count} {recurring['interval']}s"


def _extra(name: str, value: int, currency: str) -> str:
    shown = amount(value, currency)
    return f'<tr><th scope="row">{name}</th><td class="number">{shown}</td></tr>'


def _form(call: Call, session: Object) -> str:
    tx = call.tx
    known = _email(tx, session)
    given = text(call.params.get("email", ""))
    email = f"<p>Email: <strong>{text(known)}</strong></p>"
    if known is None:
        email = f"""<label>Email <input type="email" name="email" value="{given}" required
autocomplete="email"></label>"""
    name = text(call.params.get("name", ""))
    choice = ""
    if completion.needs_method(session):
        saved = forms.saved_methods(tx, session["customer"])
        choice = forms.card_choice(saved, str(call.params.get("card", "")))
    total = amount(session["amount_total"] or 0, session["currency"] or "usd")
    button = BUTTONS.get(session["mode"], f"Pay {total}")
    return f"""
{_quantities(tx, session)}{_code(session)}<form method="post">{email}
<label>Name on the card <input name="name" value="{name}" autocomplete="cc-name"
maxlength="100"></label>{choice}
<button class="primary" name="action" value="pay">{text(button)}</button></form>"""


def _quantities(tx: Transaction, session: Object) -> str:
    fields = "".join(
        f"""<label>How many: {text(line["description"])} <input type="number"
name="quantity_{line["id"]}" value="{line["quantity"]}" min="{max(1, bounds["minimum"])}"
max="{bounds["maximum"]}"></label>"""
        for line in checkout_lines.of(tx, session)
        if (bounds := line["adjustable_quantity"]) and bounds["enabled"]
    )
    # Forms of their own: Enter in a field must press the button that belongs to it.
    button = '<button name="action" value="update">Add up</button>'
    return f'<form method="post">{fields}{button}</form>' if fields else ""


def _code(session: Object) -> str:
    if not session["allow_promotion_codes"]:
        return ""
    return """<form method="post" class="row"><label>Promotion code
<input name="code" autocomplete="off" required></label>
<button name="action" value="apply">Apply</button></form>"""
