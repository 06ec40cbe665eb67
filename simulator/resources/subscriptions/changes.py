"""
Changes of a subscription that runs: other prices, quantities, trials, anchors.

What a change costs is prorated: credit for what was paid and is not used, and a charge for
the rest of the period. Both wait for the next invoice, or are billed at once.
"""

from simulator.core.call import merged_metadata
from simulator.core.errors import StripeError, invalid, no_such
from simulator.core.transaction import Transaction
from simulator.core.values import Object, copy
from simulator.resources.invoices import items as invoiceitems
from simulator.resources.subscriptions import billing as subscription_billing
from simulator.resources.subscriptions import pending_updates, renewals, state, subscribing, terms
from simulator.resources.subscriptions.state import ITEM


def change(tx: Transaction, subscription: Object, given: Object) -> None:
    """
    Change a subscription; `given` are the parameters of Stripe's own operation.

    :raises StripeError: if it does not fit, or must be paid at once and cannot be.
    """
    state.check_live(subscription)
    behavior = given.get("payment_behavior") or "allow_incomplete"
    _check(subscription, given, behavior)
    if behavior == "pending_if_incomplete":
        if subscription["pending_update"]:
            raise invalid("Another change of this subscription waits to be paid.", param="items")
        kept = [copy(item) for item in state.items_of(tx, subscription)]
        _apply(tx, subscription, given, behavior, kept)
    else:
        _apply(tx, subscription, given, behavior, None)


def _check(subscription: Object, given: Object, behavior: str) -> None:
    for name in subscribing.NOT_SIMULATED:
        if given.get(name):
            raise invalid(f"This simulator does not do `{name}`.", param=name)
    if (given.get("automatic_tax") or {}).get("enabled"):
        raise invalid("This simulator knows tax rates only.", param="automatic_tax[enabled]")
    if subscription["status"] == "incomplete" and given.get("items"):
        raise invalid(
            "This subscription's items cannot be changed while it is `incomplete`: pay its "
            "first invoice, or cancel it."
        )
    if behavior == "pending_if_incomplete" and given.keys() & {"metadata", "description"}:
        raise invalid(
            "With `pending_if_incomplete` only items, discounts, trials, proration and the "
            "billing cycle anchor can be changed.",
            param="payment_behavior",
        )


def _apply(
    tx: Transaction,
    subscription: Object,
    given: Object,
    behavior: str,
    kept: list[Object] | None,
) -> None:
    now = state.now_of(tx, subscription)
    at = given.get("proration_date") or now
    start, end = state.period_of(tx, subscription)
    if not start <= at <= end:
        raise invalid(
            "proration_date must be within the current period of the subscription.",
            param="proration_date",
        )
    interval = state.interval_of(tx, subscription)
    _set_terms(tx, subscription, given)
    has_items = bool(given.get("items"))
    before = [copy(item) for item in state.items_of(tx, subscription)]
    if has_items:
        _set_items(tx, subscription, given["items"])
    restarts = _restarts(tx, subscription, given, interval)
    wants = given.get("proration_behavior") or "create_prorations"
    if wants != "none" and (has_items or restarts):
        _prorate(tx, subscription, before, at, is_restart=restarts)
    invoice = _bill(tx, subscription, given, now, wants, restarts=restarts, has_items=has_items)
    terms.set_end(tx, subscription, given)
    if subscription["status"] not in state.ENDED:
        state.plan(tx, subscription)
    tx.emit("customer.subscription.updated", subscription)
    if invoice is not None:
        _settle(tx, subscription, invoice, given, behavior, kept)


def _set_terms(tx: Transaction, subscription: Object, given: Object) -> None:
    if "metadata" in given:
        subscription["metadata"] = merged_metadata(subscription["metadata"], given["metadata"])
    if given.get("collection_method") or given.get("days_until_due") is not None:
        method = given.get("collection_method") or subscription["collection_method"]
        days = given.get("days_until_due")
        terms.check(method, days if days is not None else subscription["days_until_due"])
        subscription.update(collection_method=method, days_until_due=days)
    if "pause_collection" in given:
        paused = given["pause_collection"]
        subscription["pause_collection"] = {"resumes_at": None, **paused} if paused else None
    if given.get("cancellation_details"):
        subscription["cancellation_details"].update(given["cancellation_details"])
    terms.fill(tx, subscription, given)


def _set_items(tx: Transaction, subscription: Object, changes: list[Object]) -> None:
    for number, one in enumerate(changes):
        path = f"items[{number}]"
        one = {name: value for name, value in one.items() if name != "clear_usage"}  # noqa: PLW2901
        if one.get("id") is None:
            start, end = state.period_of(tx, subscription)
            item = state.add_item(tx, subscription, one, path)
            item.update(current_period_start=start, current_period_end=end)
            continue
        item = tx.get(ITEM, one["id"], f"{path}[id]")
        if item["subscription"] != subscription["id"]:
            raise no_such(ITEM, one["id"], f"{path}[id]")
        if one.get("deleted"):
            if len(state.items_of(tx, subscription)) > 1 or number < len(changes) - 1:
                _take_out(tx, item)
                continue
            state.check_items(tx, {"id": "none"})
        price = state.find_price(tx, one, path)
        if price is not None:
            item["price"] = price["id"]
        state.fill_item(tx, subscription, item, one, path)
        if "metadata" in one:
            item["metadata"] = merged_metadata(item["metadata"], one["metadata"])
    state.check_items(tx, subscription)


def _take_out(tx: Transaction, item: Object) -> None:
    if (item_ := tx.find(ITEM, item["id"])) is not None:
        tx.remove(item_)


def _restarts(
    tx: Transaction, subscription: Object, given: Object, interval: tuple[str, int]
) -> bool:
    """Say whether a new period begins now."""
    if given.get("trial_end") == "now" and subscription["status"] == "trialing":
        return True
    if subscription["status"] == "trialing":
        return False
    is_other = state.interval_of(tx, subscription) != interval
    return is_other or given.get("billing_cycle_anchor") == "now"


def _prorate(
    tx: Transaction, subscription: Object, before: list[Object], at: int, *, is_restart: bool
) -> None:
    """Credit what is not used, and charge for the rest; in a trial both are nothing."""
    if subscription["status"] == "trialing":
        return
    after = {item["id"]: item for item in state.items_of(tx, subscription)}
    for old in before:
        new = after.get(old["id"])
        if is_restart or new is None or _differs(old, new):
            subscription_billing.credit(tx, subscription, old, at)
    known = {old["id"]: old for old in before}
    for id_, new in after.items():
        if not is_restart and (id_ not in known or _differs(known[id_], new)):
            subscription_billing.debit(tx, subscription, new, at)


def _differs(old: Object, new: Object) -> bool:
    return any(old[name] != new[name] for name in ("price", "quantity"))


def _bill(
    tx: Transaction,
    subscription: Object,
    given: Object,
    now: int,
    wants: str,
    *,
    restarts: bool,
    has_items: bool,
) -> Object | None:
    """Make the invoice that a change calls for at once, if any."""
    trial_end = given.get("trial_end")
    if trial_end == "now" and subscription["status"] == "trialing":
        return renewals.end_trial(tx, subscription)
    if trial_end not in (None, "now"):
        return _try_again(tx, subscription, given, now)
    if subscription["status"] in ("trialing", "paused"):
        return None
    if restarts:
        before = state.period_of(tx, subscription)
        state.set_period(tx, subscription, before[0], now)
        subscription["billing_cycle_anchor"] = now
        invoice = renewals.begin_period(tx, subscription, now)
        invoice["billing_reason"] = "subscription_update"
        return invoice
    if given.get("add_invoice_items") and wants != "always_invoice":
        subscribing.add_given_items(tx, subscription, given)
    if wants != "always_invoice" or not has_items:
        return None
    invoice = subscription_billing.draft(tx, subscription, "subscription_update")
    subscribing.add_given_items(tx, subscription, given)
    if not invoiceitems.pending(tx, subscription["customer"], subscription["currency"]):
        tx.remove(invoice)
        return None
    subscription_billing.add_pending(tx, subscription, invoice)
    return subscription_billing.announce(tx, subscription, invoice)


def _try_again(tx: Transaction, subscription: Object, given: Object, now: int) -> Object:
    """Begin a trial, or let it last until another time."""
    end = terms.trial_end_of(given, now)
    if end is None:
        raise invalid("trial_end must be a time, or `now`.", param="trial_end")
    if subscription["status"] != "trialing":
        for item in state.items_of(tx, subscription):
            subscription_billing.credit(tx, subscription, item, now)
        subscription.update(status="trialing", trial_start=now)
    start = subscription["trial_start"]
    subscription.update(trial_end=end, billing_cycle_anchor=end)
    state.set_period(tx, subscription, start, end)
    before = (start, end)
    return subscription_billing.cycle(tx, subscription, before, "subscription_update")


def _settle(
    tx: Transaction,
    subscription: Object,
    invoice: Object,
    given: Object,
    behavior: str,
    kept: list[Object] | None,
) -> None:
    """Have a change paid, and do what is wanted if it is not."""
    if invoice["status"] == "draft":
        subscription_billing.at_once(tx, subscription, invoice)
    try:
        if behavior != "default_incomplete":
            off_session = given.get("off_session", False)
            subscription_billing.charge(tx, invoice, off_session=off_session)
    except StripeError as error:
        if behavior == "error_if_incomplete":
            error.keeps_effects = False
            raise
    is_charged = invoice["collection_method"] == "charge_automatically"
    if is_charged and invoice["status"] == "open" and behavior == "error_if_incomplete":
        raise StripeError(
            402,
            "card_error",
            "Subscription update failed because the payment requires additional action.",
            code="subscription_payment_intent_requires_action",
        )
    if kept is not None and invoice["status"] == "open":
        pending_updates.wait(tx, subscription, invoice, kept)
