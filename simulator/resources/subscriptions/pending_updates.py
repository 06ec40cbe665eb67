"""Changes of subscriptions that come into effect when their invoice is paid."""

from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object, copy
from simulator.resources.invoices import invoicing
from simulator.resources.subscriptions import state
from simulator.resources.subscriptions.state import ITEM


def wait(tx: Transaction, subscription: Object, invoice: Object, kept: list[Object]) -> None:
    """Go back to what was, and keep the change until its invoice is paid."""
    wanted = [copy(item) for item in state.items_of(tx, subscription)]
    _put(tx, subscription, kept)
    expires = state.now_of(tx, subscription) + state.INCOMPLETE_SECONDS
    invoice["_brings"] = wanted
    names = ("billing_cycle_anchor", "discounts", "metadata", "trial_end", "trial_from_plan")
    shown = [tx.public(item) for item in wanted]
    update = {**dict.fromkeys(names), "expires_at": expires, "subscription_items": shown}
    subscription["pending_update"] = update
    if subscription["status"] == "past_due":
        subscription["status"] = "active"
    state.plan(tx, subscription)
    tx.emit("customer.subscription.updated", subscription)


def _put(tx: Transaction, subscription: Object, rows: list[Object]) -> None:
    for item in state.items_of(tx, subscription):
        tx.remove(item)
    for row in rows:
        fields = {name: value for name, value in row.items() if name not in ("id", "object")}
        tx.new(ITEM, id=row["id"], **fields)


def _bring(tx: Transaction, invoice: Object) -> None:
    """Let a change that waited for its payment come into effect."""
    wanted = invoice.pop("_brings", None)
    subscription = tx.find(state.KIND, invoice.get("_subscription"))
    if wanted is None or subscription is None or subscription["pending_update"] is None:
        return
    _put(tx, subscription, wanted)
    subscription["pending_update"] = None
    state.plan(tx, subscription)
    tx.emit("customer.subscription.updated", subscription)
    tx.emit("customer.subscription.pending_update_applied", subscription)


@timer(state.FORGET_UPDATE)
def forget(tx: Transaction, id_: str) -> None:
    """Give up a change that was not paid within a day; its invoice is void."""
    subscription = tx.get(state.KIND, id_)
    subscription["pending_update"] = None
    invoice = tx.find(invoicing.KIND, subscription["latest_invoice"])
    if invoice is not None and invoice["status"] == "open":
        invoicing.void(tx, invoice)
    state.plan(tx, subscription)
    tx.emit("customer.subscription.updated", subscription)
    tx.emit("customer.subscription.pending_update_expired", subscription)


invoicing.ON_PAID.append(_bring)
