"""Tax ids of customers."""

from simulator.core.call import Call
from simulator.core.errors import no_such
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import includable, list_of
from simulator.core.world import World
from simulator.resources.customers import ON_CREATE

KIND = "tax_id"


def make(tx: Transaction, customer: Object, type_: str, value: str) -> Object:
    """Give a customer a tax id. Nobody verifies it here."""
    tax_id = tx.new(
        KIND,
        clock=customer["test_clock"],
        country=type_[:2].upper() if type_ != "eu_vat" else value[:2].upper(),
        customer=customer["id"],
        owner={"type": "customer", "customer": customer["id"]},
        type=type_,
        value=value,
        verification={"status": "pending", "verified_address": None, "verified_name": None},
    )
    tx.emit("customer.tax_id.created", tax_id)
    return tax_id


@route("POST", "/v1/customers/{customer}/tax_ids")
def create(call: Call) -> Object:
    """Give a customer a tax id."""
    customer = call.tx.get("customer", call.path["customer"])
    return make(call.tx, customer, call["type"], call["value"])


@route("GET", "/v1/customers/{customer}/tax_ids")
def index(call: Call) -> Object:
    """List a customer's tax ids."""
    customer = call.tx.get("customer", call.path["customer"])
    return call.page(KIND, where={"customer": customer["id"]})


@route("GET", "/v1/customers/{customer}/tax_ids/{id}")
def read(call: Call) -> Object:
    """Return one of a customer's tax ids."""
    return _of_customer(call)


@route("DELETE", "/v1/customers/{customer}/tax_ids/{id}")
def delete(call: Call) -> Object:
    """Take a tax id away."""
    tax_id = _of_customer(call)
    call.tx.emit("customer.tax_id.deleted", tax_id)
    return call.tx.remove(tax_id)


@route("GET", "/v1/tax_ids")
def index_of_all(call: Call) -> Object:
    """List all tax ids."""
    return call.page(KIND)


@route("GET", "/v1/tax_ids/{id}")
def read_by_id(call: Call) -> Object:
    """Return a tax id, whosever it is."""
    return call.tx.get(KIND, call.path["id"])


@includable("customer", "tax_ids")
def included(world: World, body: Object) -> Object:
    """Return a customer's tax ids as a list inside of the customer."""
    found = world.store.kinds[KIND].matching({"customer": body["id"]})[::-1]
    return list_of([world.public(row) for row in found], f"/v1/customers/{body['id']}/tax_ids")


def _make_first(call: Call, customer: Object) -> None:
    for data in call.get("tax_id_data", []):
        make(call.tx, customer, data["type"], data["value"])


ON_CREATE.append(_make_first)


def _of_customer(call: Call) -> Object:
    tax_id = call.tx.get(KIND, call.path["id"])
    if tax_id["customer"] != call.path["customer"]:
        raise no_such(KIND, call.path["id"])
    return tax_id
