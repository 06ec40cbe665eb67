"""Setup intents: make, change, confirm, cancel; and the attempts that they led to."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.payments import setups
from simulator.resources.payments.intent_routes import OPEN, automatic, method_of, of_call
from simulator.resources.payments.intents import unexpected_state
from simulator.resources.payments.setups import KIND

PLAIN = ("attach_to_self", "description", "flow_directions", "on_behalf_of", "payment_method_types")


@route("POST", "/v1/setup_intents")
def create(call: Call) -> Object:
    """Make a setup intent, and confirm it at once if that is wanted."""
    customer = call.get("customer")
    if customer is not None:
        call.tx.get("customer", customer, "customer")
    if call.get("return_url") and not call.get("confirm"):
        message = "You cannot provide `return_url` unless you also set `confirm` to true."
        raise invalid(message, param="return_url")
    fields = {name: value for name, value in call.only(*PLAIN, "usage").items() if value}
    intent = setups.make(
        call.tx,
        customer=customer,
        payment_method=method_of(call),
        automatic_payment_methods=automatic(call),
        metadata=merged_metadata(None, call.get("metadata", {})),
        **fields,
    )
    if not call.get("confirm"):
        return intent
    return setups.confirm(call.tx, intent, return_url=call.get("return_url"))


@route("GET", "/v1/setup_intents")
def index(call: Call) -> Object:
    """List setup intents."""
    return call.page(KIND, match=("attach_to_self", "customer", "payment_method"))


@route("GET", "/v1/setup_intents/{intent}")
def read(call: Call) -> Object:
    """Return a setup intent."""
    return of_call(call, KIND)


@route("POST", "/v1/setup_intents/{intent}")
def update(call: Call) -> Object:
    """Change a setup intent that is still open."""
    intent = call.tx.get(KIND, call.path["intent"])
    if intent["status"] not in OPEN and call.params.keys() - {"metadata", "description"}:
        raise unexpected_state(
            intent,
            "This SetupIntent's parameters could not be updated because it has a status of "
            f"{intent['status']}.",
        )
    intent.update(call.only(*PLAIN, "customer"))
    if "metadata" in call.params:
        intent["metadata"] = merged_metadata(intent["metadata"], call["metadata"])
    _take_method(call, intent)
    return intent


@route("POST", "/v1/setup_intents/{intent}/confirm")
def confirm(call: Call) -> Object:
    """Try to set the payment method up."""
    intent = of_call(call, KIND)
    if intent["status"] in OPEN:
        _take_method(call, intent)
    return setups.confirm(call.tx, intent, return_url=call.get("return_url"))


@route("POST", "/v1/setup_intents/{intent}/cancel")
def cancel(call: Call) -> Object:
    """Give a setup intent up."""
    intent = call.tx.get(KIND, call.path["intent"])
    cancel_it(call.tx, intent, call.get("cancellation_reason"))
    return intent


def cancel_it(tx: Transaction, intent: Object, reason: str | None = None) -> None:
    """
    Give a setup intent up.

    :raises StripeError: if its card is saved, or it is canceled already.
    """
    if intent["status"] not in OPEN:
        raise unexpected_state(
            intent,
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. "
            f"Only a SetupIntent with one of the following statuses may be canceled: "
            f"{', '.join(OPEN)}.",
        )
    intent.update(status="canceled", cancellation_reason=reason, next_action=None)
    tx.emit("setup_intent.canceled", intent)


@route("GET", "/v1/setup_attempts")
def attempts(call: Call) -> Object:
    """List the attempts of a setup intent."""
    return call.page("setup_attempt", match=("setup_intent",))


def _take_method(call: Call, intent: Object) -> None:
    if {"payment_method", "payment_method_data"} & call.params.keys():
        intent["payment_method"] = method_of(call)
        has_one = intent["payment_method"] is not None
        intent["status"] = "requires_confirmation" if has_one else "requires_payment_method"
