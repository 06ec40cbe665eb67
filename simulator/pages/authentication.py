"""The bank's page, where a customer proves who they are; and the same by one request."""

from urllib.parse import urlencode, urlsplit

from simulator.core.call import Call
from simulator.core.errors import StripeError, invalid, no_such
from simulator.core.http import Response, as_html, as_json, redirect
from simulator.core.routing import page
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.pages.looks import amount, document, text
from simulator.resources.payments import intents, setups

KINDS = ("payment_intent", "setup_intent")
FAILED = "We are unable to authenticate your payment method. Please choose a different payment " \
    "method and try again."  # fmt: skip


def conclude(tx: Transaction, intent: Object, *, succeeds: bool) -> None:
    """
    Go on after the customer has authenticated, or has not.

    :raises StripeError: if the card is then declined, or did not have to authenticate.
    """
    if intent["status"] != "requires_action":
        raise invalid(f"This {intent['object']} does not wait for authentication.")
    is_payment = intent["object"] == "payment_intent"
    if not succeeds:
        code = f"{intent['object']}_authentication_failure"
        refusal = StripeError(402, "invalid_request_error", FAILED, code=code)
        if is_payment:
            method = tx.get("payment_method", intent["payment_method"])
            refusal.error["payment_method"] = tx.public(method)
            intents.refuse(tx, intent, refusal)
        else:
            setups.fail(tx, intent, refusal)
    elif intent.get("confirmation_method") == "manual":
        intent.update(status="requires_confirmation", next_action=None, _is_authenticated=True)
    elif is_payment:
        intents.confirm(tx, intent, is_authenticated=True)
    else:
        setups.confirm(tx, intent, is_authenticated=True)


def find(tx: Transaction, id_: str) -> Object:
    """
    Return an intent of either kind.

    :raises StripeError: if there is none of this id.
    """
    for kind in KINDS:
        if (intent := tx.find(kind, id_)) is not None:
            return intent
    raise no_such("payment_intent", id_)


@page("GET", "/_sim/authenticate/{intent}")
def show(call: Call) -> Response:
    """Ask the customer."""
    intent = find(call.tx, call.path["intent"])
    if intent["status"] != "requires_action":
        return as_html(document("Authentication", "<p>Nothing is asked of you here any more.</p>"))
    method = call.tx.get("payment_method", intent["payment_method"])
    what = "to be saved" if "amount" not in intent else amount(intent["amount"], intent["currency"])
    body = f"""
<p>Your bank asks whether it is you who wants to pay with the card that ends in
<strong>{text(method["card"]["last4"])}</strong>: <strong>{text(what)}</strong></p>
<form method="post" class="choices">
<button name="outcome" value="succeeds" class="primary">Complete authentication</button>
<button name="outcome" value="fails">Fail authentication</button>
</form>"""
    return as_html(document("Is it you?", body))


@page("POST", "/_sim/authenticate/{intent}")
def answer(call: Call) -> Response:
    """Take the customer's answer and send them back to where they came from."""
    tx = call.tx
    intent = find(tx, call.path["intent"])
    try:
        conclude(tx, intent, succeeds=call.params.get("outcome") == "succeeds")
    except StripeError as error:
        if not error.keeps_effects:
            raise
    url = intent.get("_return_url")
    if url is None:
        return as_html(document("Thank you", "<p>You can close this page.</p>"))
    return redirect(_back(intent, url))


@page("POST", "/_sim/intents/{intent}/authenticate")
def authenticate(call: Call) -> Response:
    """Do what the page does, for tests: `outcome=succeeds` (by default) or `fails`."""
    intent = find(call.tx, call.path["intent"])
    conclude(call.tx, intent, succeeds=call.params.get("outcome", "succeeds") == "succeeds")
    return as_json(call.tx.public(intent))


def _back(intent: Object, url: str) -> str:
    is_done = intent["status"] in ("succeeded", "requires_capture", "requires_confirmation")
    query = urlencode(
        {
            intent["object"]: intent["id"],
            f"{intent['object']}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if is_done else "failed",
        }
    )
    return f"{url}{'&' if urlsplit(url).query else '?'}{query}"
