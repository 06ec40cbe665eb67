"""Subscription schedules: phases that follow each other, and what comes after the last."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, missing
from simulator.core.lists import in_range
from simulator.core.older import parameters as older
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.subscriptions import phases, renewals, scheduling, state
from simulator.resources.subscriptions.scheduling import KIND

TIMES = ("canceled_at", "completed_at", "released_at")

older.accept("POST", "/v1/subscription_schedules", "iterations", older.INTEGER, "phases")
older.accept("POST", "/v1/subscription_schedules/{schedule}", "iterations", older.INTEGER, "phases")


@route("POST", "/v1/subscription_schedules")
def create(call: Call) -> Object:
    """Make a schedule for a new subscription, or take over one that runs."""
    tx = call.tx
    if call.get("from_subscription"):
        return _take_over(call)
    if call.get("customer") is None:
        raise missing("customer")
    customer = tx.get("customer", call["customer"], "customer")
    clock = customer["test_clock"]
    now = tx.now(clock)
    if not call.get("phases"):
        raise missing("phases")
    start = call.get("start_date", now)
    start = now if start == "now" else start
    schedule = scheduling.make(tx, customer["id"], clock)
    _fill(call, schedule)
    schedule["phases"] = phases.read(tx, call["phases"], start)
    tx.emit("subscription_schedule.created", schedule)
    scheduling.plan(tx, schedule)
    if start <= now:
        scheduling.enter(tx, schedule)
    return schedule


def _take_over(call: Call) -> Object:
    """Make a schedule of a subscription: its one phase is the period that runs."""
    tx = call.tx
    if call.get("phases") or call.get("customer") or call.get("start_date"):
        raise invalid(
            "You cannot set `phases`, `customer` or `start_date` with `from_subscription`: update "
            "the schedule afterwards.",
            param="from_subscription",
        )
    subscription = tx.get(state.KIND, call["from_subscription"], "from_subscription")
    state.check_live(subscription)
    if subscription["schedule"] is not None:
        raise invalid(
            f"The subscription is managed by a schedule already: {subscription['schedule']}.",
            param="from_subscription",
        )
    schedule = scheduling.make(tx, subscription["customer"], subscription["test_clock"])
    _fill(call, schedule)
    schedule["phases"] = [phases.of_subscription(tx, subscription)]
    schedule.update(status="active", subscription=subscription["id"], _phase=0)
    schedule["current_phase"] = phases.span(schedule["phases"][0])
    subscription["schedule"] = schedule["id"]
    tx.emit("subscription_schedule.created", schedule)
    tx.emit("customer.subscription.updated", subscription)
    scheduling.plan(tx, schedule)
    return schedule


def _fill(call: Call, schedule: Object) -> None:
    schedule.update(call.only("end_behavior"))
    if schedule["end_behavior"] in ("none", "renew"):
        raise invalid("end_behavior is `release` or `cancel`.", param="end_behavior")
    given = call.get("default_settings", {})
    for name in ("automatic_tax", "billing_thresholds", "transfer_data"):
        if given.get(name):
            raise invalid("This simulator does not do that.", param=f"default_settings[{name}]")
    schedule["default_settings"].update(
        {name: value for name, value in given.items() if name != "invoice_settings"}
    )
    schedule["default_settings"]["invoice_settings"].update(given.get("invoice_settings", {}))
    if call.get("billing_mode"):
        raise invalid("This simulator's schedules are flexible.", param="billing_mode")
    if "metadata" in call.params:
        schedule["metadata"] = merged_metadata(schedule["metadata"], call["metadata"])


@route("GET", "/v1/subscription_schedules")
def index(call: Call) -> Object:
    """List schedules."""
    bounds = call.only(*TIMES)
    is_scheduled = call.params.get("scheduled")

    def keep(schedule: Object) -> bool:
        if is_scheduled is not None and (schedule["status"] == "not_started") != is_scheduled:
            return False
        return all(
            schedule[name] is not None and in_range(schedule[name], bound)
            for name, bound in bounds.items()
        )

    return call.page(KIND, match=("customer",), keep=keep)


@route("GET", "/v1/subscription_schedules/{schedule}")
def read(call: Call) -> Object:
    """Return a schedule."""
    return call.tx.get(KIND, call.path["schedule"])


@route("POST", "/v1/subscription_schedules/{schedule}")
def update(call: Call) -> Object:
    """Change a schedule: phases that are over stay as they were."""
    tx = call.tx
    schedule = _live(call, "updated")
    _fill(call, schedule)
    if "phases" in call.params:
        current = schedule["phases"][0]
        if schedule["status"] == "active":
            current = schedule["phases"][schedule["_phase"]]
        new = phases.read(tx, call["phases"], current["start_date"])
        if schedule["status"] == "active":
            if new[0]["start_date"] != current["start_date"]:
                raise invalid(
                    "The phase that runs must stay the first one, with its start date.",
                    param="phases[0][start_date]",
                )
            schedule["_phase"] = 0
            schedule["current_phase"] = phases.span(new[0])
        schedule["phases"] = new
        scheduling.plan(tx, schedule)
        if schedule["status"] == "active":
            scheduling.apply(tx, schedule, call.get("proration_behavior"))
    call.get("proration_behavior")
    tx.emit("subscription_schedule.updated", schedule)
    return schedule


@route("POST", "/v1/subscription_schedules/{schedule}/cancel")
def cancel(call: Call) -> Object:
    """End a schedule and its subscription."""
    tx = call.tx
    schedule = _live(call, "canceled")
    is_silent = call.get("invoice_now") is False and call.get("prorate") is False
    scheduling.close(tx, schedule, "canceled")
    subscription = tx.find(state.KIND, schedule["subscription"])
    if subscription is not None and subscription["status"] not in state.ENDED:
        renewals.cancel(tx, subscription)
    tx.emit("subscription_schedule.canceled", schedule)
    if is_silent:
        # Stripe's command line expects this of a schedule that is canceled without a bill.
        tx.emit("subscription_schedule.aborted", schedule)
    return schedule


@route("POST", "/v1/subscription_schedules/{schedule}/release")
def release(call: Call) -> Object:
    """Let the subscription go on without its schedule."""
    schedule = _live(call, "released")
    scheduling.release(call.tx, schedule)
    return schedule


def _live(call: Call, done: str) -> Object:
    schedule = call.tx.get(KIND, call.path["schedule"])
    if schedule["status"] not in ("active", "not_started"):
        raise invalid(
            f"You cannot have a subscription schedule {done} that is currently in the "
            f"`{schedule['status']}` status: only those `active` or `not_started`."
        )
    return schedule


def _orphaned(tx: Transaction, subscription: Object, reason: str | None) -> None:
    """End the schedule of a subscription that has ended by itself."""
    schedule = tx.find(KIND, subscription["schedule"])
    if schedule is None or schedule["status"] != "active":
        return
    scheduling.close(tx, schedule, "canceled")
    is_unpaid = reason == "payment_failed"
    tx.emit(f"subscription_schedule.{'aborted' if is_unpaid else 'canceled'}", schedule)


state.ON_END.append(_orphaned)
