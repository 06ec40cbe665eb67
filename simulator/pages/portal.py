"""The billing portal: a customer's cards, plans and invoices, by a link that ends."""

from collections.abc import Callable

from simulator.core.call import Call
from simulator.core.errors import StripeError
from simulator.core.http import Response, as_html, redirect
from simulator.core.routing import page
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.pages import forms, portal_parts
from simulator.pages.looks import document, text
from simulator.pages.portal_visit import Visit
from simulator.resources import payment_methods
from simulator.resources.payments import setups

type Done = Callable[[Visit, str], Response | None]


@page("GET", "/p/session/{session}")
def home(call: Call) -> Response:
    """Show everything, or the one thing to which a deep link leads."""
    visit = Visit(call)
    if visit.has_ended:
        return _ended(visit)
    flow = visit.session["flow"]
    if flow is not None and "done" not in call.params:
        return redirect(visit.url(portal_parts.step_of(flow)))
    return _page(visit, "Billing", portal_parts.overview(visit))


@page("GET", "/p/session/{session}/{step}")
def show_step(call: Call) -> Response:
    """Show a step that is not about one object."""
    return _show(call, "")


@page("GET", "/p/session/{session}/{step}/{id}")
def show(call: Call) -> Response:
    """Show a step."""
    return _show(call, call.path["id"])


@page("POST", "/p/session/{session}/{step}")
def take_step(call: Call) -> Response:
    """Take a step that is not about one object."""
    return _take(call, "")


@page("POST", "/p/session/{session}/{step}/{id}")
def take(call: Call) -> Response:
    """Take a step."""
    return _take(call, call.path["id"])


def _show(call: Call, id_: str, message: str | None = None, status: int = 200) -> Response:
    visit = Visit(call)
    if visit.has_ended:
        return _ended(visit)
    shown = portal_parts.STEPS.get(call.path["step"])
    if shown is None or not visit.allows(call.path["step"]):
        return _missing(visit)
    try:
        title, body = shown(visit, id_)
    except StripeError as error:
        return _page(visit, "Not found", forms.error(str(error)), 404)
    back = f'<p><a href="{text(visit.url(""))}?done=1">Back to billing</a></p>'
    return _page(visit, title, forms.error(message) + body + back, status)


def _take(call: Call, id_: str) -> Response:
    visit = Visit(call)
    if visit.has_ended:
        return _ended(visit)
    done = DONE.get(call.path["step"])
    if done is None or not visit.allows(call.path["step"]):
        return _missing(visit)
    try:
        answer = done(visit, id_)
    except StripeError as error:
        if not error.keeps_effects:
            call.tx.undo()
        if error.status == 404:
            return _missing(visit)
        return _show(call, id_, str(error.error["message"]), 402)
    return answer or after(visit)


def after(visit: Visit) -> Response:
    """Return to where a finished step leads."""
    flow = visit.session["flow"]
    if flow is None:
        return redirect(visit.url("") + "?done=1")
    end = flow["after_completion"]
    if end["type"] == "redirect":
        return redirect(end["redirect"]["return_url"])
    if end["type"] == "hosted_confirmation":
        words = end["hosted_confirmation"]["custom_message"] or "Your change was saved."
        return _page(visit, "Done", f"<p>{text(words)}</p>")
    return redirect(visit.url("") + "?done=1")


def _page(visit: Visit, title: str, body: str, status: int = 200) -> Response:
    url = visit.session["return_url"]
    back = f'<p><a href="{text(url)}">Return to the shop</a></p>' if url else ""
    return as_html(document(title, body + back), status)


def _ended(visit: Visit) -> Response:
    return _page(visit, "This link has expired", "<p>Ask for a new one where you came from.</p>")


def _missing(visit: Visit) -> Response:
    return _page(visit, "Not found", "<p>There is nothing here that you may change.</p>", 404)


def _add_card(visit: Visit, _id: str) -> Response | None:
    """Set a card up for later, which then pays by default."""
    call, tx = visit.call, visit.call.tx
    intent = setups.make(tx, customer=visit.customer["id"], _portal=visit.session["id"])
    method = forms.chosen_method(tx, call.params, None, {"email": visit.customer["email"]})
    intent["payment_method"] = method["id"]
    setups.confirm(tx, intent, return_url=visit.url("") + "?done=1")
    if intent["status"] == "requires_action":
        return redirect(intent["next_action"]["redirect_to_url"]["url"])
    return None


def _pay_from_now_on(tx: Transaction, intent: Object) -> None:
    """Let a card that was set up in the portal be the one that pays."""
    if "_portal" in intent:
        customer = tx.get("customer", intent["customer"])
        customer["invoice_settings"]["default_payment_method"] = intent["payment_method"]
        tx.emit("customer.updated", customer)


setups.ON_SUCCESS.append(_pay_from_now_on)


def _make_default(visit: Visit, id_: str) -> None:
    method = visit.card(id_)
    settings = {"default_payment_method": method["id"]}
    visit.perform("POST", f"/v1/customers/{visit.customer['id']}", invoice_settings=settings)


def _remove_card(visit: Visit, id_: str) -> None:
    payment_methods.detach(visit.call.tx, visit.card(id_))


def _cancel(visit: Visit, id_: str) -> None:
    visit.subscription(id_)
    rules = visit.features["subscription_cancel"]
    details = {"feedback": visit.call.params.get("feedback") or None}
    if rules["mode"] == "immediately":
        visit.perform("DELETE", f"/v1/subscriptions/{id_}", cancellation_details=details)
    else:
        visit.perform(
            "POST",
            f"/v1/subscriptions/{id_}",
            cancel_at_period_end=True,
            cancellation_details=details,
        )


def _keep(visit: Visit, id_: str) -> None:
    visit.subscription(id_)
    visit.perform("POST", f"/v1/subscriptions/{id_}", cancel_at_period_end=False)


def _change(visit: Visit, id_: str) -> None:
    """Change to another price, at the quantity that is there, billed as configured."""
    subscription = visit.subscription(id_)
    item = visit.items(subscription)[0]
    price = str(visit.call.params.get("price", ""))
    if price not in [one["id"] for one in visit.prices()]:
        raise StripeError(400, "invalid_request_error", "Choose one of the plans.")
    behavior = visit.features["subscription_update"]["proration_behavior"]
    visit.perform(
        "POST",
        f"/v1/subscriptions/{id_}",
        items=[{"id": item["id"], "price": price}],
        proration_behavior=behavior,
    )


def _details(visit: Visit, _id: str) -> None:
    allowed = visit.features["customer_update"]["allowed_updates"]
    given = {
        name: str(visit.call.params[name]).strip()
        for name in ("email", "name")
        if name in allowed and visit.call.params.get(name)
    }
    visit.perform("POST", f"/v1/customers/{visit.customer['id']}", **given)


DONE: dict[str, Done] = {
    "card": _add_card,
    "default": _make_default,
    "remove": _remove_card,
    "cancel": _cancel,
    "keep": _keep,
    "change": _change,
    "details": _details,
}
