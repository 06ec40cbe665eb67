"""Billing-portal sessions, with deep links into one thing, and what a portal may do."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid, missing
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object, copy
from simulator.core.world import starter

CONFIGURATION = "billing_portal.configuration"
SESSION = "billing_portal.session"
LIFE_SECONDS = 3600
REASONS = ["too_expensive", "missing_features", "switched_service", "unused", "other"]
OPEN_TO_ALL = {
    "customer_update": {"allowed_updates": ["email", "name"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True},
    "subscription_update": {"default_allowed_updates": ["price"], "enabled": True},
}
# What a deep link must name beside its type.
FLOWS = ("subscription_cancel", "subscription_update", "subscription_update_confirm")


@starter
def begin(tx: Transaction) -> None:
    """Make the configuration that holds where none is named."""
    _make(tx, OPEN_TO_ALL, is_default=True)


def _make(tx: Transaction, features: Object, *, is_default: bool = False) -> Object:
    configuration = tx.new(
        CONFIGURATION, active=True, is_default=is_default, updated=tx.now(), metadata={}
    )
    _set_features(configuration, features)
    return configuration


def _set_features(configuration: Object, given: Object) -> None:
    """Put given features over what is there, with every field that an enabled one has."""
    for name, feature in given.items():
        merged = {**configuration["features"][name], **copy(feature)}
        if name == "subscription_cancel":
            reason = merged["cancellation_reason"] or {}
            merged["cancellation_reason"] = {"enabled": False, "options": REASONS, **reason}
            given_mode = feature.get("mode") or merged["mode"]
            if merged["proration_behavior"] == "always_invoice" and "mode" not in feature:
                merged["proration_behavior"] = "none"
            merged["mode"] = given_mode
        if name == "subscription_update":
            merged["default_allowed_updates"] = merged["default_allowed_updates"] or []
            merged["products"] = [_product(one) for one in merged["products"] or []] or None
        if name == "customer_update":
            merged["allowed_updates"] = merged["allowed_updates"] or []
        configuration["features"][name] = merged


def _product(given: Object) -> Object:
    bounds = {"enabled": False, "maximum": None, "minimum": 1}
    adjustable = {**bounds, **(given.get("adjustable_quantity") or {})}
    return {**given, "adjustable_quantity": adjustable}


@route("POST", "/v1/billing_portal/configurations")
def create_configuration(call: Call) -> Object:
    """Make a configuration."""
    configuration = _make(call.tx, call["features"])
    _fill(configuration, call)
    call.tx.emit("billing_portal.configuration.created", configuration)
    return configuration


@route("POST", "/v1/billing_portal/configurations/{configuration}")
def update_configuration(call: Call) -> Object:
    """Change a configuration; the default one stays active."""
    configuration = call.tx.get(CONFIGURATION, call.path["configuration"])
    if call.get("active", True) is False and configuration["is_default"]:
        raise invalid("You cannot deactivate the default configuration.", param="active")
    configuration.update(call.only("active"))
    _set_features(configuration, call.get("features", {}))
    _fill(configuration, call)
    configuration["updated"] = call.tx.now()
    call.tx.emit("billing_portal.configuration.updated", configuration)
    return configuration


def _fill(configuration: Object, call: Call) -> None:
    configuration.update(call.only("default_return_url", "name"))
    configuration["business_profile"].update(call.get("business_profile", {}))
    configuration["login_page"]["enabled"] = call.get("login_page", {}).get("enabled", False)
    if "metadata" in call.params:
        metadata = merged_metadata(configuration["metadata"], call["metadata"])
        configuration["metadata"] = metadata


@route("GET", "/v1/billing_portal/configurations")
def index(call: Call) -> Object:
    """List configurations."""
    return call.page(CONFIGURATION, match=("active", "is_default"))


@route("GET", "/v1/billing_portal/configurations/{configuration}")
def read(call: Call) -> Object:
    """Return a configuration."""
    return call.tx.get(CONFIGURATION, call.path["configuration"])


@route("POST", "/v1/billing_portal/sessions")
def create_session(call: Call) -> Object:
    """Make a link that lets one customer in, for an hour."""
    tx = call.tx
    if call.get("customer") is None:
        raise missing("customer")
    customer = tx.get("customer", call["customer"], "customer")
    configuration = _configuration(call)
    session = tx.new(
        SESSION,
        configuration=configuration["id"],
        customer=customer["id"],
        locale=call.get("locale"),
        return_url=call.get("return_url", configuration["default_return_url"]),
        flow=_flow(tx, customer["id"], configuration, call.get("flow_data")),
        _until=tx.now() + LIFE_SECONDS,
    )
    session["url"] = f"{tx.base_url}/p/session/{session['id']}"
    tx.emit("billing_portal.session.created", session)
    return session


def _configuration(call: Call) -> Object:
    if call.get("configuration") is None:
        return call.tx.where(CONFIGURATION, is_default=True)[0]
    found = call.tx.get(CONFIGURATION, call["configuration"], "configuration")
    if not found["active"]:
        raise invalid("This configuration is not active.", param="configuration")
    return found


def _flow(
    tx: Transaction, customer: str, configuration: Object, given: Object | None
) -> Object | None:
    """Return what a deep link leads to, checked."""
    if given is None:
        return None
    type_ = given["type"]
    feature = type_.removesuffix("_confirm")
    if not configuration["features"][feature]["enabled"]:
        raise invalid(
            f"The feature {feature} is not enabled in the portal's configuration "
            f"{configuration['id']}.",
            param="flow_data[type]",
        )
    flow: Object = {"type": type_, "after_completion": _after(given.get("after_completion"))}
    flow.update(dict.fromkeys(FLOWS), customer_update=None)
    if type_ in FLOWS:
        path = f"flow_data[{type_}]"
        if type_ not in given:
            raise missing(path)
        _check_subscription(tx, given[type_], customer, path)
        flow[type_] = copy(given[type_])
        if type_ == "subscription_cancel":
            flow[type_].setdefault("retention", None)
        if type_ == "subscription_update_confirm":
            flow[type_].setdefault("discounts", None)
            items = flow[type_]["items"]
            flow[type_]["items"] = [{"price": None, "quantity": None, **one} for one in items]
    return flow


def _check_subscription(tx: Transaction, given: Object, customer: str, path: str) -> None:
    subscription = tx.get("subscription", given["subscription"], f"{path}[subscription]")
    if subscription["customer"] != customer:
        raise invalid(
            f"The subscription {subscription['id']} does not belong to the customer {customer}.",
            param=f"{path}[subscription]",
        )
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise _ended(subscription, f"{path}[subscription]")


def _ended(subscription: Object, param: str) -> StripeError:
    return invalid(
        f"The subscription {subscription['id']} has ended and cannot be changed.", param=param
    )


def _after(given: Object | None) -> Object:
    given = given or {"type": "portal_homepage"}
    confirmation, redirect = given.get("hosted_confirmation"), given.get("redirect")
    if given["type"] == "redirect" and redirect is None:
        raise missing("flow_data[after_completion][redirect]")
    if given["type"] == "hosted_confirmation":
        confirmation = {"custom_message": None, **(confirmation or {})}
    return {"type": given["type"], "hosted_confirmation": confirmation, "redirect": redirect}
