"""The addresses behind the hosted page that Stripe's CLI uses to complete a Checkout session."""

from simulator.core.call import Call
from simulator.core.errors import StripeError, invalid
from simulator.core.http import Response, as_json
from simulator.core.routing import page
from simulator.core.values import Object
from simulator.resources.checkout import completion


@page("GET", "/v1/payment_pages/{session}")
def show(call: Call) -> Response:
    """Return what the page would show."""
    return as_json(_shown(call, call.tx.get(completion.KIND, call.path["session"])))


@page("POST", "/v1/payment_pages/{session}/confirm")
def confirm(call: Call) -> Response:
    """Pay by a payment method that is there."""
    tx = call.tx
    session = tx.get(completion.KIND, call.path["session"])
    expected = call.params.get("expected_amount")
    if expected is not None and str(session["amount_total"] or 0) != expected:
        raise invalid("The amount has changed.", param="expected_amount")
    id_ = str(call.params.get("payment_method", ""))
    method = tx.get("payment_method", id_, "payment_method")
    if method["type"] not in session["payment_method_types"]:
        message = f"The payment method type {method['type']} is not taken here."
        raise invalid(message, param="payment_method")
    billing = method["billing_details"]
    details = {name: billing[name] for name in ("address", "email", "name", "phone")}
    try:
        completion.attempt(tx, session, method, details)
    except StripeError as error:
        if not error.keeps_effects:
            raise
        return as_json(error.body(), error.status)
    return as_json(_shown(call, session))


def _shown(call: Call, session: Object) -> Object:
    return {
        "id": f"ppage_{session['id'][-24:]}",
        "object": "checkout.payment_page",
        "session_id": session["id"],
        "state": {"open": "active", "complete": "succeeded", "expired": "expired"}[
            session["status"]
        ],
        "mode": session["mode"],
    }
