"""Customers, with search; deleted ones are still answered for."""

from collections.abc import Callable

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object, random_text

KIND = "customer"
# Copied as they are given; what is not here has a rule of its own below.
PLAIN = (
    "address",
    "business_name",
    "description",
    "email",
    "individual_name",
    "invoice_prefix",
    "name",
    "next_invoice_sequence",
    "phone",
    "shipping",
    "tax_exempt",
)
SETTINGS = ("custom_fields", "default_payment_method", "footer", "rendering_options")
SEARCHED = ("created", "email", "name", "phone")
# Other resources add what must happen when a customer comes, changes or goes.
ON_CREATE: list[Callable[[Call, Object], None]] = []
ON_UPDATE: list[Callable[[Call, Object], None]] = []
ON_DELETE: list[Callable[[Transaction, Object], None]] = []
ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


@route("POST", "/v1/customers")
def create(call: Call) -> Object:
    """Make a customer."""
    tx = call.tx
    clock = call.get("test_clock")
    if clock is not None:
        tx.get("test_helpers.test_clock", clock, "test_clock")
    customer = tx.new(
        KIND,
        clock=clock,
        test_clock=clock,
        balance=call.get("balance", 0),
        invoice_prefix=random_text(8).upper(),
        next_invoice_sequence=1,
        invoice_settings=dict.fromkeys(SETTINGS),
        preferred_locales=[],
        tax_exempt="none",
    )
    _fill(tx, customer, call)
    tx.emit("customer.created", customer)
    for function in ON_CREATE:
        function(call, customer)
    return customer


@route("GET", "/v1/customers")
def index(call: Call) -> Object:
    """List customers."""
    return call.page(KIND, match=("email", "test_clock"))


@route("GET", "/v1/customers/search")
def search(call: Call) -> Object:
    """Search customers."""
    return call.search(KIND, SEARCHED)


@route("GET", "/v1/customers/{customer}")
def read(call: Call) -> Object:
    """Return a customer, or that it was deleted."""
    gone = call.tx.find("_deleted", call.path["customer"])
    return gone["stub"] if gone else call.tx.get(KIND, call.path["customer"])


@route("POST", "/v1/customers/{customer}")
def update(call: Call) -> Object:
    """Change a customer."""
    customer = call.tx.get(KIND, call.path["customer"])
    if "balance" in call.params:
        customer["balance"] = call["balance"]
    _fill(call.tx, customer, call)
    for function in ON_UPDATE:
        function(call, customer)
    call.tx.emit("customer.updated", customer)
    return customer


@route("DELETE", "/v1/customers/{customer}")
def delete(call: Call) -> Object:
    """Delete a customer for good; subscriptions end with it."""
    return remove(call.tx, call.tx.get(KIND, call.path["customer"]))


def remove(tx: Transaction, customer: Object) -> Object:
    """Delete a customer; return what is left to say of them."""
    for function in ON_DELETE:
        function(tx, customer)
    tx.emit("customer.deleted", customer)
    return tx.remove(customer)


def _fill(tx: Transaction, customer: Object, call: Call) -> None:
    customer.update(call.only(*PLAIN))
    if call.get("address"):
        customer["address"] = {**ADDRESS, **call["address"]}
    if "preferred_locales" in call.params:
        customer["preferred_locales"] = call.get("preferred_locales", [])
    if "metadata" in call.params:
        customer["metadata"] = merged_metadata(customer["metadata"], call["metadata"])
    settings = _settings(tx, customer, call)
    customer["invoice_settings"] = {**customer["invoice_settings"], **settings}


def _settings(tx: Transaction, customer: Object, call: Call) -> Object:
    """
    Return invoice settings that can be taken over.

    :raises StripeError: if the default payment method is not the customer's.
    """
    settings: Object = call.get("invoice_settings", {})
    method = settings.get("default_payment_method")
    if method and method != call.get("payment_method"):  # that one is attached in a moment
        param = "invoice_settings[default_payment_method]"
        if tx.get("payment_method", method, param)["customer"] != customer["id"]:
            raise invalid(
                "The customer does not have a payment method with the ID "
                f"{method}. The payment method must be attached to the customer.",
                param=param,
                code="resource_missing",
            )
    return settings
