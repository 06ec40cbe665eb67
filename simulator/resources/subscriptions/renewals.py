"""What happens to subscriptions by themselves: renewals, ends of trials, retries, the end."""

from simulator.arithmetic import periods
from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.customers import ON_DELETE
from simulator.resources.invoices import collecting, invoicing, previewing
from simulator.resources.payments import setups
from simulator.resources.subscriptions import billing as subscription_billing
from simulator.resources.subscriptions import state
from simulator.resources.subscriptions.state import ENDED, KIND


@timer(state.RENEW)
def renew(tx: Transaction, id_: str) -> None:
    """Let the next period begin, and bill it."""
    subscription = tx.get(KIND, id_)
    for first in state.BEFORE_RENEWAL:
        first(tx, subscription)
    if subscription["status"] in ENDED:
        return
    if state.period_of(tx, subscription)[1] > state.now_of(tx, subscription):
        state.plan(tx, subscription)
        return
    if subscription["status"] == "trialing" and not _may_go_on(tx, subscription):
        return
    invoice = begin_period(tx, subscription, subscription["billing_cycle_anchor"])
    tx.emit("customer.subscription.updated", subscription)
    if invoice["amount_due"] == 0 and invoice["status"] == "draft":
        invoicing.finalize(tx, invoice)


def begin_period(tx: Transaction, subscription: Object, anchor: int) -> Object:
    """Let a period run from now on, and make its invoice, which is a draft at first."""
    before = state.period_of(tx, subscription)
    now = max(state.now_of(tx, subscription), before[0])
    interval, count = state.interval_of(tx, subscription)
    at = min(now, before[1])
    end = periods.period_at(anchor, interval, count, at)[1]
    state.set_period(tx, subscription, at, end)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = end
    invoice = subscription_billing.cycle(tx, subscription, before, "subscription_cycle")
    state.plan(tx, subscription)
    return invoice


def _may_go_on(tx: Transaction, subscription: Object) -> bool:
    """Look for a payment method at the end of a trial; without one, do what was wanted."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    is_charged = subscription["collection_method"] == "charge_automatically"
    if behavior == "create_invoice" or not is_charged or _has_method(tx, subscription):
        return True
    if behavior == "cancel":
        cancel(tx, subscription)
    else:
        pause(tx, subscription)
    return False


def _has_method(tx: Transaction, subscription: Object) -> bool:
    customer = tx.get("customer", subscription["customer"])
    return bool(
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
        or customer["default_source"]
    )


def end_trial(tx: Transaction, subscription: Object) -> Object | None:
    """End a trial now; return the invoice to be paid, or None if it went no further."""
    now = state.now_of(tx, subscription)
    subscription["trial_end"] = now
    start, _ = state.period_of(tx, subscription)
    state.set_period(tx, subscription, start, now)
    subscription["billing_cycle_anchor"] = now
    if not _may_go_on(tx, subscription):
        return None
    return begin_period(tx, subscription, now)


def pause(tx: Transaction, subscription: Object) -> None:
    """Let a subscription rest until it is resumed: nothing is billed."""
    subscription["status"] = "paused"
    state.plan(tx, subscription)
    tx.emit("customer.subscription.updated", subscription)
    tx.emit("customer.subscription.paused", subscription)


@timer(state.TRIAL_WILL_END)
def tell_of_trial(tx: Transaction, id_: str) -> None:
    """Tell that a trial ends in three days, or sooner."""
    subscription = tx.get(KIND, id_)
    subscription[f"_{state.TRIAL_WILL_END}"] = state.period_of(tx, subscription)[1]
    tx.emit("customer.subscription.trial_will_end", subscription)


@timer(state.UPCOMING)
def tell_of_renewal(tx: Transaction, id_: str) -> None:
    """Tell what the next invoice will be, a week before."""
    subscription = tx.get(KIND, id_)
    subscription[f"_{state.UPCOMING}"] = state.period_of(tx, subscription)[1]
    previewing.tell_of_upcoming(tx, subscription)


@timer(state.CANCEL)
def cancel_in_time(tx: Transaction, id_: str) -> None:
    """End a subscription at the time that was set."""
    cancel(tx, tx.get(KIND, id_))


@timer(state.EXPIRE)
def expire(tx: Transaction, id_: str) -> None:
    """Give up a subscription whose first invoice was not paid within a day."""
    subscription = tx.get(KIND, id_)
    subscription["status"] = "incomplete_expired"
    subscription["ended_at"] = state.now_of(tx, subscription)
    _void_open(tx, subscription)
    state.set_status(tx, subscription, "incomplete_expired")


@timer(state.UNPAUSE)
def unpause(tx: Transaction, id_: str) -> None:
    """Collect again."""
    subscription = tx.get(KIND, id_)
    subscription["pause_collection"] = None
    state.set_status(tx, subscription, subscription["status"])


def cancel(tx: Transaction, subscription: Object, reason: str = "cancellation_requested") -> None:
    """End a subscription now."""
    now = state.now_of(tx, subscription)
    was = subscription["status"]
    subscription.update(status="canceled", ended_at=now, pending_update=None)
    subscription["canceled_at"] = subscription["canceled_at"] or now
    details = subscription["cancellation_details"]
    details["reason"] = details["reason"] or reason
    state.plan(tx, subscription)
    if was == "incomplete":
        _void_open(tx, subscription)
    subscription_billing.stop_collecting(tx, subscription)
    tx.emit("customer.subscription.deleted", subscription)
    for told in state.ON_END:
        told(tx, subscription, details["reason"])


def _void_open(tx: Transaction, subscription: Object) -> None:
    invoice = tx.find(invoicing.KIND, subscription["latest_invoice"])
    if invoice is not None and invoice["status"] == "open":
        invoicing.void(tx, invoice)


def _of(tx: Transaction, invoice: Object) -> Object | None:
    subscription = tx.find(KIND, invoice.get("_subscription"))
    if subscription is None or subscription["status"] in ENDED:
        return None
    return subscription


def _paid(tx: Transaction, invoice: Object) -> None:
    """Let a subscription be active when what it waited for is paid."""
    subscription = _of(tx, invoice)
    if subscription is None:
        return
    _remember_method(tx, subscription, invoice)
    is_latest = subscription["latest_invoice"] == invoice["id"]
    status = subscription["status"]
    if is_latest and status in ("incomplete", "past_due", "unpaid"):
        invoice.pop("_is_first", None)
        state.set_status(tx, subscription, "active")
    elif is_latest and status == "paused" and invoice.get("_resumes"):
        state.set_status(tx, subscription, "active")
        tx.emit("customer.subscription.resumed", subscription)


def _remember_method(tx: Transaction, subscription: Object, invoice: Object) -> None:
    settings = subscription["payment_settings"] or {}
    intent = tx.find("payment_intent", invoice.get("_intent"))
    if intent is None or settings.get("save_default_payment_method") != "on_subscription":
        return
    subscription["default_payment_method"] = intent["payment_method"]
    tx.emit("customer.subscription.updated", subscription)


def _failed(tx: Transaction, invoice: Object, is_last: bool) -> None:
    """Let a subscription be past due, and at the end of dunning what the policy says."""
    subscription = _of(tx, invoice)
    if subscription is None or invoice.get("_is_first") or not invoice["auto_advance"]:
        return
    if subscription["status"] in ("active", "trialing"):
        state.set_status(tx, subscription, "past_due")
    if not is_last or subscription["status"] != "past_due":
        return
    outcome = collecting.policy(tx).outcome
    if outcome == "cancel":
        cancel(tx, subscription, "payment_failed")
    elif outcome == "unpaid":
        state.set_status(tx, subscription, "unpaid")


def _overdue(tx: Transaction, invoice: Object) -> None:
    """Let a subscription be past due whose invoice was sent and not paid in time."""
    subscription = _of(tx, invoice)
    if subscription is not None and subscription["status"] == "active":
        state.set_status(tx, subscription, "past_due")


def _set_up(tx: Transaction, intent: Object) -> None:
    """Take over the payment method for which a new subscription asked."""
    subscription = tx.find(KIND, intent.get("_subscription"))
    if subscription is not None and subscription["pending_setup_intent"] == intent["id"]:
        subscription["pending_setup_intent"] = None
        subscription["default_payment_method"] = intent["payment_method"]
        tx.emit("customer.subscription.updated", subscription)


def _customer_goes(tx: Transaction, customer: Object) -> None:
    for subscription in tx.where(KIND, customer=customer["id"]):
        if subscription["status"] not in ENDED:
            cancel(tx, subscription)


invoicing.ON_PAID.append(_paid)
invoicing.ON_OVERDUE.append(_overdue)
collecting.ON_FAILURE.append(_failed)
setups.ON_SUCCESS.append(_set_up)
ON_DELETE.append(_customer_goes)
