"""
What a subscription is at a moment: items, period, status, and what is to happen when.

Everything that changes a subscription ends with `plan`, so that its timers fit it.
"""

from collections.abc import Callable
from typing import Any

from simulator.arithmetic import periods
from simulator.core.call import merged_metadata
from simulator.core.errors import StripeError, invalid, missing
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import includable, list_of, view
from simulator.core.world import World
from simulator.resources import discounts, tax_rates
from simulator.resources.catalogue import make_price

KIND = "subscription"
ITEM = "subscription_item"
DAY = 86_400
RENEW = "subscription.renew"
TRIAL_WILL_END = "subscription.trial_will_end"
CANCEL = "subscription.cancel"
EXPIRE = "subscription.expire"
UNPAUSE = "subscription.unpause"
UPCOMING = "subscription.upcoming"
FORGET_UPDATE = "subscription.forget_update"

ENDED = ("canceled", "incomplete_expired")
INCOMPLETE_SECONDS = 23 * 3600
NOTICE_DAYS = {TRIAL_WILL_END: 3, UPCOMING: 7}
MOST_ITEMS = 20

type Ended = Callable[[Transaction, Object, str | None], None]

ON_END: list[Ended] = []
# What must have happened when a period begins: the next phase of a schedule, for one.
BEFORE_RENEWAL: list[Callable[[Transaction, Object], None]] = []


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Put items, tax rates and a pending update in."""
    rows = world.store.kinds[ITEM].matching({"subscription": body["id"]})
    url = f"/v1/subscription_items?subscription={body['id']}"
    shown = [world.public(row) for row in rows if not row.get("_is_waiting")]
    body["items"] = list_of(shown, url)
    rates = [world.store.find("tax_rate", id_) for id_ in body["default_tax_rates"] or ()]
    body["default_tax_rates"] = [world.public(row) for row in rates if row is not None]


@includable("customer", "subscriptions")
def of_customer(world: World, body: Object) -> Object:
    """Return a customer's subscriptions that have not ended."""
    rows = world.store.kinds[KIND].matching({"customer": body["id"]})[::-1]
    shown = [world.public(row) for row in rows if row["status"] not in ENDED]
    return list_of(shown, f"/v1/customers/{body['id']}/subscriptions")


def items_of(tx: Transaction, subscription: Object) -> list[Object]:
    """Return a subscription's items, oldest first."""
    found = tx.where(ITEM, subscription=subscription["id"])
    return [item for item in found if not item.get("_is_waiting")]


def period_of(tx: Transaction, subscription: Object) -> tuple[int, int]:
    """Return start and end of the period that runs: that of all items."""
    item = items_of(tx, subscription)[0]
    return item["current_period_start"], item["current_period_end"]


def set_period(tx: Transaction, subscription: Object, start: int, end: int) -> None:
    """Let a period run."""
    for item in items_of(tx, subscription):
        item.update(current_period_start=start, current_period_end=end)


def price_of(tx: Transaction, item: Object) -> Object:
    """Return what an item costs."""
    return tx.get("price", item["price"], "price")


def interval_of(tx: Transaction, subscription: Object) -> tuple[str, int]:
    """Return how often a subscription is billed."""
    recurring = price_of(tx, items_of(tx, subscription)[0])["recurring"]
    return recurring["interval"], recurring["interval_count"]


def now_of(tx: Transaction, subscription: Object) -> int:
    """Return the time by which a subscription lives."""
    return tx.now(subscription["test_clock"])


def add_item(tx: Transaction, subscription: Object, given: Object, path: str) -> Object:
    """
    Add an item.

    :raises StripeError: if there is no price, or one that does not fit.
    """
    price = find_price(tx, given, path)
    if price is None:
        raise missing(f"{path}[price]")
    item = tx.new(
        ITEM,
        clock=subscription["test_clock"],
        discounts=[],
        price=price["id"],
        quantity=given.get("quantity", 1),
        subscription=subscription["id"],
        tax_rates=[],
        metadata=merged_metadata(None, given.get("metadata")),
    )
    fill_item(tx, subscription, item, given, path)
    return item


def fill_item(
    tx: Transaction, subscription: Object, item: Object, given: Object, path: str
) -> None:
    """Take over what an item and its update have in common."""
    if given.get("quantity") is not None:
        if given["quantity"] < 0:
            raise invalid("Quantity must be 0 or more.", param=f"{path}[quantity]")
        item["quantity"] = given["quantity"]
    if "tax_rates" in given:
        item["tax_rates"] = tax_rates.check(tx, given["tax_rates"], f"{path}[tax_rates]")
    if "discounts" in given:
        to = {"customer": subscription["customer"], "subscription_item": item["id"]}
        item["discounts"] = discounts.give_all(
            tx, given["discounts"], f"{path}[discounts]", currency=subscription["currency"], **to
        )
    if given.get("billing_thresholds"):
        raise invalid(
            "This simulator has no usage, so no thresholds.", param=f"{path}[billing_thresholds]"
        )


def find_price(tx: Transaction, given: Object, path: str) -> Object | None:
    """
    Return the price that is given or described, if any.

    :raises StripeError: if it is not recurring, or switched off.
    """
    if given.get("price_data"):
        return make_price(tx, given["price_data"], f"{path}[price_data]")
    if given.get("price") is None:
        return None
    price = tx.get("price", given["price"], f"{path}[price]")
    if price["recurring"] is None:
        raise invalid(
            f"The price specified is set to `type=one_time` but this field only accepts prices "
            f"with `type=recurring`: {price['id']}",
            param=f"{path}[price]",
        )
    if not price["active"]:
        raise invalid(
            f"The price specified is inactive. This field only accepts active prices: "
            f"{price['id']}",
            param=f"{path}[price]",
        )
    return price


def check_items(tx: Transaction, subscription: Object) -> None:
    """
    Refuse items that cannot be billed together.

    :raises StripeError: if there are none or too many, two of one price, or if interval or
        currency differ.
    """
    items = items_of(tx, subscription)
    if not items:
        raise invalid(
            "A subscription must have at least one active item. To cancel it, cancel the "
            "subscription.",
            param="items",
        )
    if len(items) > MOST_ITEMS:
        raise invalid(f"A subscription has {MOST_ITEMS} items at the most.", param="items")
    prices = [price_of(tx, item) for item in items]
    twice = len({price["id"] for price in prices}) < len(prices)
    if twice:
        raise invalid("Cannot add multiple subscription items with the same price.", param="items")
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All prices on a subscription must use the same currency.", param="items")
    intervals = {
        (price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices
    }
    if len(intervals) > 1:
        raise invalid(
            "All prices on a subscription must have the same `recurring.interval` and "
            "`recurring.interval_count` in this simulator.",
            param="items",
        )
    interval, count = intervals.pop()
    if count > periods.LONGEST[interval]:
        raise invalid(f"An interval of {count} {interval}s is too long.", param="items")


def set_status(tx: Transaction, subscription: Object, status: str) -> None:
    """Change the status and tell of it."""
    subscription["status"] = status
    plan(tx, subscription)
    tx.emit("customer.subscription.updated", subscription)


def plan(tx: Transaction, subscription: Object) -> None:
    """Let happen in time what is to happen to a subscription as it is now."""
    tx.unschedule(subscription["id"])
    status = subscription["status"]
    if status in (*ENDED, "paused"):
        return
    clock, now = subscription["test_clock"], now_of(tx, subscription)

    def at(due: int, name: str) -> None:
        tx.schedule(due, name, subscription["id"], clock)

    end = period_of(tx, subscription)[1]
    if subscription["cancel_at"] is not None:
        at(subscription["cancel_at"], CANCEL)
    if status == "incomplete":
        at(subscription["created"] + INCOMPLETE_SECONDS, EXPIRE)
        return
    at(end, RENEW)
    _plan_notices(subscription, now, end, at)
    if (subscription["pause_collection"] or {}).get("resumes_at"):
        at(subscription["pause_collection"]["resumes_at"], UNPAUSE)
    if subscription["pending_update"]:
        at(subscription["pending_update"]["expires_at"], FORGET_UPDATE)


def _plan_notices(subscription: Object, now: int, end: int, at: Callable[[int, str], Any]) -> None:
    """Plan what is told some days before; each of them once."""
    for name, wanted in ((TRIAL_WILL_END, subscription["status"] == "trialing"), (UPCOMING, True)):
        due = end - NOTICE_DAYS[name] * DAY
        if wanted and subscription.get(f"_{name}") != end and (due > now or name != UPCOMING):
            at(max(due, now), name)


def check_live(subscription: Object) -> None:
    """
    Refuse to touch a subscription that is over.

    :raises StripeError: if it has ended.
    """
    if subscription["status"] in ENDED:
        raise ended(subscription)


def ended(subscription: Object) -> StripeError:
    """Return the error for a subscription that is over: for changing, it is not there."""
    return StripeError(
        404,
        "invalid_request_error",
        f"No such subscription: '{subscription['id']}'. It has ended ({subscription['status']}), "
        "and a canceled subscription can only be given other metadata.",
        code="resource_missing",
        param="id",
    )
