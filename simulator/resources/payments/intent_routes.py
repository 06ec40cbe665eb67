"""Payment intents: make, change, confirm, capture, cancel."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import charges
from simulator.resources.payment_methods import find, from_data
from simulator.resources.payments import intents
from simulator.resources.payments.intents import KIND

SMALLEST = {"usd": 50, "eur": 50, "gbp": 30, "chf": 50, "jpy": 50, "cad": 50, "aud": 50}
LARGEST = 99_999_999
PLAIN = (
    "application_fee_amount",
    "capture_method",
    "description",
    "on_behalf_of",
    "payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (*OPEN, "requires_capture", "processing")
SEARCHED = ("amount", "created", "currency", "customer", "status")


@route("POST", "/v1/payment_intents")
def create(call: Call) -> Object:
    """Make an intent, and confirm it at once if that is wanted."""
    tx = call.tx
    check_amount(call["amount"], call["currency"])
    customer = call.get("customer")
    if customer is not None:
        tx.get("customer", customer, "customer")
    if not call.get("confirm") and (call.get("off_session") or call.get("return_url")):
        name = "off_session" if call.get("off_session") else "return_url"
        raise invalid(
            f"You cannot provide `{name}` unless you also set `confirm` to true.", param=name
        )
    fields = call.only(*PLAIN, "confirmation_method")
    fields["metadata"] = merged_metadata(None, call.get("metadata"))
    intent = intents.make(
        tx,
        amount=call["amount"],
        currency=call["currency"].lower(),
        customer=customer,
        payment_method=method_of(call),
        automatic_payment_methods=automatic(call),
        payment_method_options=options(call, {"card": intents.CARD_OPTIONS}),
        **{name: value for name, value in fields.items() if value is not None},
    )
    return _confirm(call, intent) if call.get("confirm") else intent


def options(call: Call, old: Object) -> Object:
    """Return the options of payment methods: those that are given over the old ones."""
    given = call.get("payment_method_options", {})
    return {**old, **given, "card": {**old["card"], **given.get("card", {})}}


@route("GET", "/v1/payment_intents")
def index(call: Call) -> Object:
    """List intents."""
    return call.page(KIND, match=("customer",))


@route("GET", "/v1/payment_intents/search")
def search(call: Call) -> Object:
    """Search intents."""
    return call.search(KIND, SEARCHED)


@route("GET", "/v1/payment_intents/{intent}")
def read(call: Call) -> Object:
    """Return an intent."""
    return of_call(call, KIND)


@route("POST", "/v1/payment_intents/{intent}")
def update(call: Call) -> Object:
    """Change an intent that has not been paid."""
    intent = call.tx.get(KIND, call.path["intent"])
    if intent["status"] not in OPEN and call.params.keys() - {"metadata", "description"}:
        raise intents.unexpected_state(
            intent,
            "This PaymentIntent's parameters could not be updated because it has a status of "
            f"{intent['status']}.",
        )
    check_amount(call.get("amount", intent["amount"]), call.get("currency", intent["currency"]))
    intent.update(call.only(*PLAIN, "amount", "customer"))
    _take_options(call, intent)
    if "currency" in call.params:
        intent["currency"] = call["currency"].lower()
    if "metadata" in call.params:
        intent["metadata"] = merged_metadata(intent["metadata"], call["metadata"])
    _take_method(call, intent)
    return intent


@route("POST", "/v1/payment_intents/{intent}/confirm")
def confirm(call: Call) -> Object:
    """Try to take the money."""
    intent = of_call(call, KIND)
    intent.update(call.only("capture_method", "receipt_email", "setup_future_usage", "shipping"))
    if intent["status"] in OPEN:
        _take_options(call, intent)
        _take_method(call, intent)
    return _confirm(call, intent)


@route("POST", "/v1/payment_intents/{intent}/capture")
def capture(call: Call) -> Object:
    """Take the money that is held."""
    tx = call.tx
    intent = tx.get(KIND, call.path["intent"])
    if intent["status"] != "requires_capture":
        raise intents.unexpected_state(
            intent,
            "This PaymentIntent could not be captured because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            "captured: requires_capture.",
        )
    amount = call.get("amount_to_capture", intent["amount"])
    charge = tx.get("charge", intent["latest_charge"])
    charges.check_capturable(charge, amount)
    charges.capture(tx, charge, amount)
    intents.complete(tx, intent, amount)
    return intent


@route("POST", "/v1/payment_intents/{intent}/cancel")
def cancel(call: Call) -> Object:
    """Give an intent up; money that is held goes back."""
    intent = call.tx.get(KIND, call.path["intent"])
    cancel_it(call.tx, intent, call.get("cancellation_reason"))
    return intent


def cancel_it(tx: Transaction, intent: Object, reason: str | None = None) -> None:
    """
    Give an intent up.

    :raises StripeError: if it is paid or canceled already.
    """
    if intent["status"] not in CANCELABLE:
        raise intents.unexpected_state(
            intent,
            "You cannot cancel this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            f"canceled: {', '.join(CANCELABLE)}.",
        )
    if intent["status"] == "requires_capture":
        charge = tx.get("charge", intent["latest_charge"])
        charge.update(refunded=True, amount_refunded=charge["amount"])
        tx.emit("charge.refunded", charge)
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=tx.now(tx.clock_of(intent["customer"])),
        cancellation_reason=reason,
        next_action=None,
    )
    tx.emit("payment_intent.canceled", intent)


def of_call(call: Call, kind: str) -> Object:
    """
    Return the intent that a request names, if the secret that it gives is the intent's.

    :raises StripeError: if there is no such intent, or the secret is another's.
    """
    intent = call.tx.get(kind, call.path["intent"])
    if call.get("client_secret") not in (None, intent["client_secret"]):
        raise invalid(
            "The client_secret provided does not match the client_secret associated with this "
            "intent.",
            param="client_secret",
        )
    return intent


def _confirm(call: Call, intent: Object) -> Object:
    return_url = call.get("return_url")
    automatic = intent["automatic_payment_methods"]
    may_redirect = automatic and automatic.get("allow_redirects") != "never"
    if may_redirect and return_url is None and not call.get("use_stripe_sdk"):
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`. If you don't want to accept redirect-based payment "
            "methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents "
            "and Payment Intents.",
        )
    return intents.confirm(
        call.tx,
        intent,
        off_session=call.get("off_session") not in (None, False),
        return_url=return_url,
        must_not_wait=bool(call.get("error_on_requires_action")),
    )


def automatic(call: Call) -> Object | None:
    """Return what `automatic_payment_methods` is: on, unless types were named."""
    given: Object | None = call.get("automatic_payment_methods")
    if given is None:
        is_named = "payment_method_types" in call.params
        return None if is_named else {"allow_redirects": "always", "enabled": True}
    if not given["enabled"]:
        return None
    return {"allow_redirects": given.get("allow_redirects", "always"), "enabled": True}


def _take_options(call: Call, intent: Object) -> None:
    if "payment_method_options" in call.params:
        intent["payment_method_options"] = options(call, intent["payment_method_options"])


def method_of(call: Call) -> str | None:
    """Return the id of the payment method that a request names or describes."""
    if "payment_method_data" in call.params:
        found = from_data(call.tx, call["payment_method_data"], "payment_method_data")["id"]
    elif call.get("payment_method"):
        found = find(call.tx, call["payment_method"])["id"]
    else:
        return None
    id_: str = found
    return id_


def _take_method(call: Call, intent: Object) -> None:
    """Take another payment method, if one is given; or none, if it is unset."""
    if not {"payment_method", "payment_method_data"} & call.params.keys():
        return
    intent["payment_method"] = method_of(call)
    has_one = intent["payment_method"] is not None
    intent["status"] = "requires_confirmation" if has_one else "requires_payment_method"


def check_amount(amount: int, currency: str) -> None:
    """
    Say no to amounts that Stripe does not take.

    :raises StripeError: if it is too small, too large, or in no currency.
    """
    if len(currency) != 3 or not currency.isalpha():
        raise invalid(f"Invalid currency: {currency}.", param="currency")
    smallest = SMALLEST.get(currency.lower(), 1)
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, param="amount", code="parameter_invalid_integer")
    if amount < smallest:
        raise invalid(
            f"Amount must be at least {smallest} in the smallest unit of {currency.lower()}.",
            param="amount",
            code="amount_too_small",
        )
    if amount > LARGEST:
        raise invalid(
            f"Amount must be no more than {LARGEST} in the smallest unit of {currency.lower()}.",
            param="amount",
            code="amount_too_large",
        )
