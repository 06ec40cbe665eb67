"""Subscriptions: made, changed, paused, resumed, canceled."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, missing, no_such
from simulator.core.lists import in_range
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.resources import discounts
from simulator.resources.invoices import collecting, invoicing
from simulator.resources.subscriptions import billing as subscription_billing
from simulator.resources.subscriptions import changes as subscription_changes
from simulator.resources.subscriptions import renewals, state, subscribing
from simulator.resources.subscriptions.state import ENDED, KIND

SEARCHED = ("created", "status")
# Stripe calls the placeholder by two names; here it has one.
ONE, AS = "/v1/subscriptions/{subscription}", "/v1/subscriptions/{subscription_exposed_id}"


@route("POST", "/v1/subscriptions")
def create(call: Call) -> Object:
    """Begin a subscription."""
    if call.get("customer") is None:
        raise missing("customer")
    return _create(call, call["customer"], "customer")


@route("POST", "/v1/customers/{customer}/subscriptions", like="/v1/subscriptions")
def create_of_customer(call: Call) -> Object:
    """Begin a subscription, at the older address."""
    return _create(call, call.path["customer"], "id")


def _create(call: Call, customer: str, param: str) -> Object:
    found = call.tx.get("customer", customer, param)
    return subscribing.create(call.tx, found, call.params)


@route("GET", "/v1/subscriptions")
def index(call: Call) -> Object:
    """List subscriptions: all but those that have ended, if no status is asked for."""
    price, status = call.get("price"), call.get("status")
    bounds = call.only("current_period_end", "current_period_start")

    def keep(subscription: Object) -> bool:
        if not _has_status(subscription, status):
            return False
        items = state.items_of(call.tx, subscription)
        if price is not None and price not in [item["price"] for item in items]:
            return False
        return all(in_range(items[0][name], bound) for name, bound in bounds.items())

    return call.page(KIND, match=("collection_method", "customer", "test_clock"), keep=keep)


def _has_status(subscription: Object, wanted: str | None) -> bool:
    match wanted:
        case None:
            return bool(subscription["status"] != "canceled")
        case "all":
            return True
        case "ended":
            return subscription["status"] in ENDED
    return bool(subscription["status"] == wanted)


@route("GET", "/v1/customers/{customer}/subscriptions")
def index_of_customer(call: Call) -> Object:
    """List a customer's subscriptions that have not ended."""
    customer = call.tx.get("customer", call.path["customer"])
    where = {"customer": customer["id"]}
    return call.page(KIND, where=where, keep=lambda row: row["status"] not in ENDED)


@route("GET", "/v1/subscriptions/search")
def search(call: Call) -> Object:
    """Search subscriptions."""
    return call.search(KIND, SEARCHED)


@route("GET", ONE, like=AS)
def read(call: Call) -> Object:
    """Return a subscription."""
    return call.tx.get(KIND, call.path["subscription"])


@route("POST", ONE, like=AS)
def update(call: Call) -> Object:
    """Change a subscription; one that has ended only gets other metadata."""
    subscription = call.tx.get(KIND, call.path["subscription"])
    if subscription["status"] in ENDED:
        if not call.params.keys() <= {"metadata", "cancellation_details"}:
            raise state.ended(subscription)
        if "metadata" in call.params:
            merged = merged_metadata(subscription["metadata"], call["metadata"])
            subscription["metadata"] = merged
        subscription["cancellation_details"].update(call.get("cancellation_details", {}))
        call.tx.emit("customer.subscription.updated", subscription)
        return subscription
    subscription_changes.change(call.tx, subscription, call.params)
    return subscription


@route("DELETE", ONE, like=AS)
def delete(call: Call) -> Object:
    """End a subscription now, crediting and billing what is open if that is wanted."""
    tx = call.tx
    subscription = tx.get(KIND, call.path["subscription"])
    state.check_live(subscription)
    now = state.now_of(tx, subscription)
    subscription["cancellation_details"].update(call.get("cancellation_details", {}))
    if call.get("prorate") and subscription["status"] != "trialing":
        for item in state.items_of(tx, subscription):
            subscription_billing.credit(tx, subscription, item, now)
    invoice = None
    if call.get("invoice_now"):
        invoice = subscription_billing.draft(tx, subscription, "subscription_update")
        subscription_billing.add_pending(tx, subscription, invoice)
        subscription_billing.announce(tx, subscription, invoice)
        invoicing.finalize(tx, invoice)
    renewals.cancel(tx, subscription)
    if invoice is not None and invoice["status"] == "open":
        collecting.try_to_collect(tx, invoice)
    return subscription


@route("POST", "/v1/subscriptions/{subscription}/resume")
def resume(call: Call) -> Object:
    """Let a paused subscription run again, from now on or in its old rhythm."""
    tx = call.tx
    subscription = tx.get(KIND, call.path["subscription"])
    if subscription["status"] != "paused":
        raise invalid(
            "Only a subscription with the status `paused` can be resumed; this one is "
            f"{subscription['status']}. A pause of collection ends with `pause_collection`."
        )
    now = state.now_of(tx, subscription)
    start, end = state.period_of(tx, subscription)
    if call.get("billing_cycle_anchor", "now") == "now":
        subscription["billing_cycle_anchor"] = now
    elif now < end:
        raise invalid("There is nothing to bill before the period ends.")
    state.set_period(tx, subscription, start, now)
    invoice = renewals.begin_period(tx, subscription, subscription["billing_cycle_anchor"])
    invoice["_resumes"] = True
    invoicing.finalize(tx, invoice)
    tx.emit("customer.subscription.updated", subscription)
    if invoice["status"] == "open":
        collecting.collect(tx, invoice, off_session=False)
    return subscription


@route("DELETE", f"{ONE}/discount", like=f"{AS}/discount")
def delete_discount(call: Call) -> Object:
    """Take a subscription's discount away."""
    subscription = call.tx.get(KIND, call.path["subscription"])
    if not subscription["discounts"]:
        raise discounts.none(f"No active discount for subscription: {subscription['id']}")
    last = subscription["discounts"][-1]
    subscription["discounts"] = subscription["discounts"][:-1]
    return discounts.end(call.tx, call.tx.get(discounts.KIND, last))


@route("GET", "/v1/customers/{customer}/subscriptions/{subscription}", like=AS)
def read_of_customer(call: Call) -> Object:
    """Return a customer's subscription."""
    subscription = read(call)
    if subscription["customer"] != call.path["customer"]:
        raise no_such(KIND, subscription["id"])
    return subscription
