"""Checkout sessions: make, read, change, expire. `completion` completes them."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, missing
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object, random_text
from simulator.resources import shipping_rates
from simulator.resources.checkout import completion
from simulator.resources.checkout import lines as checkout_lines
from simulator.resources.checkout.completion import KIND
from simulator.resources.payments import setups

DAY = 86_400
SHORTEST = 1800
TYPES = ("card", "sepa_debit")
COPIED = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "locale",
    "return_url",
    "submit_type",
    "success_url",
)


@route("POST", "/v1/checkout/sessions")
def create(call: Call) -> Object:
    """Make a session."""
    tx = call.tx
    _check(call)
    mode = call["mode"]
    customer = call.get("customer")
    if customer is not None:
        tx.get("customer", customer, "customer")
    session = tx.new(
        KIND,
        **call.only(*COPIED),
        automatic_tax=_automatic_tax(call.get("automatic_tax") or {"enabled": False}),
        currency=call.get("currency", "").lower() or None,
        customer=customer,
        customer_creation=_creation(call),
        discounts=_discounts(call),
        expires_at=_expiry(call),
        metadata=merged_metadata(None, call.get("metadata")),
        mode=mode,
        payment_method_options=_options(call),
        payment_method_types=call.get("payment_method_types", ["card"]),
        payment_method_collection=call.get("payment_method_collection", "always")
        if mode == "subscription"
        else "if_required",
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        status="open",
        ui_mode=call.get("ui_mode", "hosted_page"),
        _customer=customer,
        _intent=None,
        _intent_data=call.get("payment_intent_data", {}),
        _makes_customer=_makes_customer(call),
        _subscription_data=call.get("subscription_data", {}),
        _trial=_has_trial(call),
    )
    _invoice(session, call)
    _ship(tx, session, call)
    if mode == "setup":
        _begin_setup(tx, session, call.get("setup_intent_data", {}))
    else:
        checkout_lines.add(tx, session, call["line_items"])
    if session["ui_mode"] == "hosted_page":
        session["url"] = completion.page_url(tx, session)
    else:
        session["client_secret"] = f"{session['id']}_secret_{random_text(40)}"
    tx.schedule(session["expires_at"], "checkout.session.expire", session["id"])
    return session


def _check(call: Call) -> None:
    mode = call.get("mode")
    if mode is None:
        raise missing("mode")
    if mode != "setup" and not call.get("line_items"):
        raise missing("line_items")
    if mode == "setup" and call.get("line_items"):
        raise invalid("You can not pass `line_items` in `setup` mode.", param="line_items")
    if mode == "setup" and not (call.get("currency") or call.get("payment_method_types")):
        raise missing("currency")
    needed = "success_url" if call.get("ui_mode", "hosted_page") == "hosted_page" else "return_url"
    if not call.get(needed):
        raise missing(needed)
    if call.get("customer") and call.get("customer_email"):
        message = "You may only specify one of these parameters: customer, customer_email."
        raise invalid(message, param="customer_email")
    if call.get("discounts") and call.get("allow_promotion_codes"):
        message = "You may only specify one of these parameters: allow_promotion_codes, discounts."
        raise invalid(message, param="discounts")
    _check_modes(call)


def _check_modes(call: Call) -> None:
    mode = call["mode"]
    for name, wanted in (
        ("payment_intent_data", "payment"),
        ("invoice_creation", "payment"),
        ("setup_intent_data", "setup"),
        ("subscription_data", "subscription"),
        ("payment_method_collection", "subscription"),
    ):
        if name in call.params and mode != wanted:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if "customer_creation" in call.params and mode == "subscription":
        message = "`customer_creation` can only be used in `payment` and `setup` mode."
        raise invalid(message, param="customer_creation")
    for number, type_ in enumerate(call.get("payment_method_types", [])):
        if type_ not in TYPES:
            raise invalid(
                f"The payment method type {type_} is not known to this simulator: it has "
                f"{' and '.join(TYPES)}.",
                param=f"payment_method_types[{number}]",
            )


def _expiry(call: Call) -> int:
    now = call.tx.now()
    wanted: int = call.get("expires_at", now + DAY)
    if wanted < now + SHORTEST:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
            param="expires_at",
        )
    if wanted > now + DAY + 60:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return wanted


def _automatic_tax(given: Object) -> Object:
    """Return what is said of automatic tax; here it always comes to zero."""
    is_enabled = given["enabled"]
    return {
        "enabled": is_enabled,
        "liability": {"type": "self"} if is_enabled else None,
        "provider": "stripe" if is_enabled else None,
        "status": "complete" if is_enabled else None,
    }


def _creation(call: Call) -> str | None:
    if call["mode"] == "subscription" or call.get("customer"):
        return None if call.get("customer") else "always"
    return str(call.get("customer_creation", "if_required"))


def _makes_customer(call: Call) -> bool:
    is_for_later = call.get("payment_intent_data", {}).get("setup_future_usage") is not None
    has_invoice = (call.get("invoice_creation") or {}).get("enabled", False)
    return _creation(call) == "always" or is_for_later or has_invoice


def _discounts(call: Call) -> list[Object] | None:
    given = call.get("discounts", [])
    if len(given) > 1:
        raise invalid("You may only specify one discount.", param="discounts")
    for number, discount in enumerate(given):
        checkout_lines.coupon_of(call.tx, discount, f"discounts[{number}]")
    return [
        {"coupon": one.get("coupon"), "promotion_code": one.get("promotion_code")} for one in given
    ]


def _options(call: Call) -> Object:
    given = call.get("payment_method_options", {})
    return {**given, "card": {"request_three_d_secure": "automatic", **given.get("card", {})}}


def _has_trial(call: Call) -> bool:
    data = call.get("subscription_data", {})
    return bool(data.get("trial_period_days") or data.get("trial_end"))


def _invoice(session: Object, call: Call) -> None:
    given = call.get("invoice_creation")
    names = (
        "account_tax_ids",
        "custom_fields",
        "description",
        "footer",
        "issuer",
        "rendering_options",
    )
    if session["mode"] == "payment":
        data = (given or {}).get("invoice_data") or {}
        session["invoice_creation"] = {
            "enabled": (given or {}).get("enabled", False),
            "invoice_data": {**dict.fromkeys(names), "metadata": {}, **data},
        }


def _ship(tx: Transaction, session: Object, call: Call) -> None:
    """Offer ways to ship; the first one is chosen."""
    options = []
    for number, option in enumerate(call.get("shipping_options", [])):
        path = f"shipping_options[{number}]"
        if "shipping_rate_data" in option:
            rate = shipping_rates.make(tx, option["shipping_rate_data"])
        else:
            rate = tx.get("shipping_rate", option.get("shipping_rate", ""), path)
        amount = rate["fixed_amount"]["amount"]
        options.append({"shipping_amount": amount, "shipping_rate": rate["id"]})
    session["shipping_options"] = options
    if options:
        amount = options[0]["shipping_amount"]
        session["shipping_cost"] = {
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "shipping_rate": options[0]["shipping_rate"],
        }


def _begin_setup(tx: Transaction, session: Object, data: Object) -> None:
    intent = setups.make(
        tx,
        customer=session["customer"],
        description=data.get("description"),
        metadata=merged_metadata(None, data.get("metadata")),
        _session=session["id"],
    )
    session.update(_intent=intent["id"], setup_intent=intent["id"])


@route("GET", "/v1/checkout/sessions")
def index(call: Call) -> Object:
    """List sessions."""
    email = call.get("customer_details", {}).get("email")
    return call.page(
        KIND,
        match=("customer", "payment_intent", "payment_link", "status", "subscription"),
        keep=lambda row: email is None or (row["customer_details"] or {}).get("email") == email,
    )


@route("GET", "/v1/checkout/sessions/{session}")
def read(call: Call) -> Object:
    """Return a session."""
    return call.tx.get(KIND, call.path["session"])


@route("POST", "/v1/checkout/sessions/{session}")
def update(call: Call) -> Object:
    """Change a session's metadata."""
    session = call.tx.get(KIND, call.path["session"])
    if "metadata" in call.params:
        session["metadata"] = merged_metadata(session["metadata"], call["metadata"])
    return session


@route("POST", "/v1/checkout/sessions/{session}/expire")
def expire(call: Call) -> Object:
    """End a session that is still open."""
    session = call.tx.get(KIND, call.path["session"])
    if session["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Session has '
            f"a status of {session['status']}."
        )
    completion.expire(call.tx, session)
    return session
