"""Phases of a schedule: read from parameters, and turned into those of a subscription."""

from typing import Any

from simulator.arithmetic.periods import shifted
from simulator.core.errors import invalid, missing
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import tax_rates
from simulator.resources.subscriptions import state

PLAIN = (
    "billing_cycle_anchor",
    "collection_method",
    "default_payment_method",
    "description",
    "on_behalf_of",
)
MOST = 10


def read(tx: Transaction, given: list[Object], start: int) -> list[Object]:
    """
    Return the phases that are given, each with its start and end.

    :raises StripeError: if they do not follow each other, or have no items.
    """
    found: list[Object] = []
    if len(given) > MOST:
        raise invalid(f"A schedule has {MOST} phases at the most.", param="phases")
    for number, one in enumerate(given):
        path = f"phases[{number}]"
        begins = one.get("start_date")
        begins = start if begins in (None, "now") else begins
        if found and begins != start:
            raise invalid("Phases must follow each other.", param=f"{path}[start_date]")
        phase = _phase(tx, one, begins, path)
        phase["end_date"] = _end(tx, one, phase, path)
        if phase["end_date"] <= begins:
            raise invalid("A phase must end after it starts.", param=f"{path}[end_date]")
        start = phase["end_date"]
        found.append(phase)
    return found


def _phase(tx: Transaction, one: Object, start: int, path: str) -> Object:
    for name in ("automatic_tax", "billing_thresholds", "transfer_data", "add_invoice_items"):
        if one.get(name):
            raise invalid("This simulator does not do that.", param=f"{path}[{name}]")
    items = [_item(tx, item, f"{path}[items][{n}]") for n, item in enumerate(one["items"])]
    if not items:
        raise missing(f"{path}[items]")
    currency = tx.get("price", items[0]["price"])["currency"]
    end = one.get("trial_end")
    return {
        **blank(),
        **{name: one[name] for name in PLAIN if one.get(name) is not None},
        "currency": currency,
        "default_tax_rates": tax_rates.check(
            tx, one.get("default_tax_rates"), f"{path}[default_tax_rates]"
        ),
        "discounts": [_discount(discount) for discount in one.get("discounts") or ()],
        "items": items,
        "metadata": dict(one.get("metadata") or {}),
        "proration_behavior": one.get("proration_behavior") or "create_prorations",
        "start_date": start,
        "trial_end": end,
        "_is_trial": bool(one.get("trial")),
    }


def blank() -> Object:
    """Return a phase in which nothing is set."""
    names = ("application_fee_percent", "billing_thresholds", "invoice_settings", "transfer_data")
    return {**dict.fromkeys((*PLAIN, *names)), "add_invoice_items": [], "discounts": []}


def _item(tx: Transaction, one: Object, path: str) -> Object:
    price = state.find_price(tx, one, path)
    if price is None:
        raise missing(f"{path}[price]")
    return {
        "billing_thresholds": None,
        "discounts": [_discount(discount) for discount in one.get("discounts") or ()],
        "metadata": dict(one.get("metadata") or {}),
        "price": price["id"],
        "quantity": one.get("quantity", 1),
        "tax_rates": tax_rates.check(tx, one.get("tax_rates"), f"{path}[tax_rates]"),
    }


def _discount(given: Object) -> Object:
    return {name: given.get(name) for name in ("coupon", "discount", "promotion_code")}


def _end(tx: Transaction, one: Object, phase: Object, path: str) -> int:
    """Return when a phase ends: at a time, after a duration, or after one interval."""
    start: int = phase["start_date"]
    if one.get("trial") and one.get("end_date") is None and one.get("duration") is None:
        raise missing(f"{path}[end_date]")
    if one.get("end_date") is not None and one["end_date"] != "now":
        return int(one["end_date"])
    if duration := one.get("duration"):
        return shifted(start, duration["interval"], duration.get("interval_count", 1))
    recurring = tx.get("price", phase["items"][0]["price"])["recurring"]
    count = recurring["interval_count"] * (one.get("iterations") or 1)
    return shifted(start, recurring["interval"], count)


def span(phase: Object) -> Object:
    """Return from when to when a phase goes."""
    return {"start_date": phase["start_date"], "end_date": phase["end_date"]}


def of_subscription(tx: Transaction, subscription: Object) -> Object:
    """Return the phase that a running subscription is in."""
    start, end = state.period_of(tx, subscription)
    items = [
        {
            "billing_thresholds": None,
            "discounts": [],
            "metadata": dict(item["metadata"]),
            "price": item["price"],
            "quantity": item["quantity"],
            "tax_rates": list(item["tax_rates"]),
        }
        for item in state.items_of(tx, subscription)
    ]
    return {
        **blank(),
        "currency": subscription["currency"],
        "default_tax_rates": list(subscription["default_tax_rates"] or ()),
        "items": items,
        "metadata": {},
        "proration_behavior": "create_prorations",
        "start_date": start,
        "end_date": end,
        "trial_end": subscription["trial_end"],
    }


def terms(phase: Object, settings: Object) -> dict[str, Any]:
    """Return a phase as parameters of a subscription; what it has not, the schedule has."""
    names = ("collection_method", "default_payment_method", "description")
    found = {name: phase[name] or settings.get(name) for name in names}
    days = (settings.get("invoice_settings") or {}).get("days_until_due")
    if found["collection_method"] == "send_invoice":
        found["days_until_due"] = days or 30
    if phase["discounts"]:
        found["discounts"] = phase["discounts"]
    if phase["metadata"]:
        found["metadata"] = phase["metadata"]
    if phase["default_tax_rates"]:
        found["default_tax_rates"] = phase["default_tax_rates"]
    return {name: value for name, value in found.items() if value is not None}


def trial_end(phase: Object) -> int | None:
    """Return until when a phase is a trial, if it is."""
    end: int | None = phase["end_date"] if phase.get("_is_trial") else phase["trial_end"]
    return end
