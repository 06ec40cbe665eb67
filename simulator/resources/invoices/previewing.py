"""
What would be billed: the real thing is done, looked at, and undone.

So a preview cannot differ from what comes, as long as nothing else changes in between.
"""

from collections.abc import Callable

from simulator.arithmetic import periods
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.subscriptions import billing as subscription_billing
from simulator.resources.subscriptions import state


def undone(tx: Transaction, work: Callable[[Transaction], Object]) -> Object:
    """Do some work, return what it returns as it looks from outside, and undo the work."""
    inner = Transaction(tx.world, base_url=tx.base_url)
    try:
        tx.settle_indexes()
        return inner.public(work(inner))
    finally:
        inner.settle_indexes()
        inner.roll_back()


def next_invoice(tx: Transaction, subscription: Object) -> Object:
    """Make the invoice of the period that comes next, as it will be."""
    before = state.period_of(tx, subscription)
    interval, count = state.interval_of(tx, subscription)
    anchor = subscription["billing_cycle_anchor"]
    end = periods.period_at(anchor, interval, count, before[1])[1]
    state.set_period(tx, subscription, before[1], end)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    subscription["pause_collection"] = None
    return subscription_billing.cycle(tx, subscription, before, "upcoming")


def as_upcoming(body: Object) -> Object:
    """Return a previewed invoice as Stripe shows it: it has no number and nothing happened."""
    body.update(
        id=f"upcoming_{body['id']}", automatically_finalizes_at=None, hosted_invoice_url=None,
        invoice_pdf=None, effective_at=None, number=None, status="draft",
        next_payment_attempt=None,
    )  # fmt: skip
    body["lines"]["url"] = f"/v1/invoices/{body['id']}/lines"
    for line in body["lines"]["data"]:
        line["invoice"] = body["id"]
    return body


def tell_of_upcoming(tx: Transaction, subscription: Object) -> None:
    """Tell of the invoice that comes at the end of the period, if one comes."""
    if subscription["cancel_at"] is not None:
        return
    id_ = subscription["id"]
    body = undone(tx, lambda inner: next_invoice(inner, inner.get(state.KIND, id_)))
    tx.emit("invoice.upcoming", as_upcoming(body))
