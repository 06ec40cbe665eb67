"""Terms of a subscription that are set when it begins and may be changed later."""

from typing import Any

from simulator.core.errors import invalid, missing
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import discounts, tax_rates
from simulator.resources.invoices import routes as invoices
from simulator.resources.subscriptions import state

PLAIN = ("description", "on_behalf_of")


def check(collection_method: str | None, days: int | None) -> None:
    """
    Refuse terms of payment that contradict each other.

    :raises StripeError: if invoices that are sent have no days, or others have.
    """
    if collection_method == "send_invoice" and days is None:
        raise missing("days_until_due")
    if collection_method != "send_invoice" and days is not None:
        raise invalid(
            "`days_until_due` can only be set if `collection_method` is `send_invoice`.",
            param="days_until_due",
        )


def trial_end_of(given: Object, now: int) -> int | None:
    """
    Return when a trial ends, or None if there is none.

    :raises StripeError: if that is past.
    """
    if given.get("trial_period_days"):
        return now + int(given["trial_period_days"]) * state.DAY
    end = given.get("trial_end")
    if end in (None, "now"):
        return None
    if end <= now:
        raise invalid(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end"
        )
    return int(end)


def fill(tx: Transaction, subscription: Object, given: Object) -> None:
    """Take over what a new subscription and a change have in common."""
    for name in PLAIN:
        if name in given:
            subscription[name] = given[name]
    customer = subscription["customer"]
    if method := given.get("default_payment_method"):
        subscription["default_payment_method"] = invoices.own_method(tx, customer, method)
    if source := given.get("default_source"):
        subscription["default_payment_method"] = invoices.own_method(
            tx, customer, source, "default_source"
        )
    if "default_tax_rates" in given:
        rates = tax_rates.check(tx, given["default_tax_rates"], "default_tax_rates")
        subscription["default_tax_rates"] = rates
    if "discounts" in given:
        to: Any = {"customer": customer, "subscription": subscription["id"]}
        old = {id_: tx.get(discounts.KIND, id_) for id_ in subscription["discounts"]}
        currency = subscription["currency"]
        ids = discounts.give_all(tx, given["discounts"], currency=currency, **to)
        subscription["discounts"] = ids
        for id_ in ids:
            if id_ not in old:
                tx.emit("customer.discount.created", tx.get(discounts.KIND, id_))
        for id_, discount in old.items():
            if id_ not in ids:
                discounts.end(tx, discount)
    for name in ("payment_settings", "invoice_settings", "trial_settings"):
        if given.get(name):
            subscription[name] = {**(subscription[name] or {}), **given[name]}


def set_end(tx: Transaction, subscription: Object, given: Object) -> None:
    """Let a subscription end at the end of its period or at a time, or not end after all."""
    now = state.now_of(tx, subscription)
    if given.get("cancel_at_period_end") and given.get("cancel_at"):
        raise invalid("You may specify only one of these: cancel_at, cancel_at_period_end.")
    if "cancel_at_period_end" in given:
        is_wanted = bool(given["cancel_at_period_end"])
        _end_at(subscription, state.period_of(tx, subscription)[1] if is_wanted else None, now)
        subscription["cancel_at_period_end"] = is_wanted
    elif "cancel_at" in given:
        at = given["cancel_at"]
        if at in ("min_period_end", "max_period_end"):
            at = state.period_of(tx, subscription)[1]
        if isinstance(at, str):
            raise invalid(f"This simulator does not do `{at}`.", param="cancel_at")
        if at is not None and at <= now:
            raise invalid("cancel_at must be in the future.", param="cancel_at")
        subscription["cancel_at_period_end"] = False
        _end_at(subscription, at, now)


def _end_at(subscription: Object, at: int | None, now: int) -> None:
    subscription["cancel_at"] = at
    subscription["canceled_at"] = now if at is not None else None
    reason = "cancellation_requested" if at is not None else None
    subscription["cancellation_details"]["reason"] = reason
