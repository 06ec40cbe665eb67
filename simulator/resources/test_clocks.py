"""Test clocks: customers whose time stands still until it is moved."""

from simulator.arithmetic import periods
from simulator.core import timers
from simulator.core.call import Call
from simulator.core.errors import StripeError, invalid
from simulator.core.routing import route
from simulator.core.timers import advance, timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import customers
from simulator.resources.subscriptions import state

KIND = "test_helpers.test_clock"
ADVANCE = "test_clock.advance"
LIFE_DAYS = 30
MOST_INTERVALS = 2


@route("POST", "/v1/test_helpers/test_clocks")
def create(call: Call) -> Object:
    """Make a clock that stands at a time."""
    if call.get("customer") is not None:
        raise invalid("This simulator gives a customer a clock when it is made.", param="customer")
    now = call.tx.now()
    clock = call.tx.new(
        KIND,
        deletes_after=now + LIFE_DAYS * state.DAY,
        frozen_time=call["frozen_time"],
        name=call.get("name"),
        status="ready",
        status_details={},
    )
    call.tx.emit("test_helpers.test_clock.created", clock)
    return clock


@route("GET", "/v1/test_helpers/test_clocks")
def index(call: Call) -> Object:
    """List clocks."""
    return call.page(KIND)


@route("GET", "/v1/test_helpers/test_clocks/{test_clock}")
def read(call: Call) -> Object:
    """Return a clock."""
    return call.tx.get(KIND, call.path["test_clock"])


@route("DELETE", "/v1/test_helpers/test_clocks/{test_clock}")
def delete(call: Call) -> Object:
    """Delete a clock, its customers and all that is theirs."""
    tx = call.tx
    clock = tx.get(KIND, call.path["test_clock"])
    for customer in tx.where(customers.KIND, test_clock=clock["id"]):
        customers.remove(tx, customer)
    for left in tx.where("_timer", clock=clock["id"]):
        tx.remove(left)
    tx.emit("test_helpers.test_clock.deleted", clock)
    return tx.remove(clock)


@route("POST", "/v1/test_helpers/test_clocks/{test_clock}/advance")
def begin(call: Call) -> Object:
    """Begin to move a clock; it is ready again when all that is due has happened."""
    tx = call.tx
    clock = tx.get(KIND, call.path["test_clock"])
    until = call["frozen_time"]
    if clock["status"] == "internal_failure":
        raise invalid(
            "This test clock has failed while it was advanced and cannot be advanced any more; "
            "see the simulator's log. Delete it and make another one.",
            param="test_clock",
        )
    if clock["status"] != "ready":
        raise StripeError(
            429,
            "invalid_request_error",
            "Test clock advancement underway - cannot perform modifications",
            code="lock_timeout",
        )
    if until <= clock["frozen_time"]:
        raise invalid(
            "You can only advance a test clock to a time after its frozen time.",
            param="frozen_time",
        )
    _check_distance(tx, clock, until)
    clock["status"] = "advancing"
    clock["status_details"] = {"advancing": {"target_frozen_time": until}}
    tx.emit("test_helpers.test_clock.advancing", clock)
    tx.schedule(tx.now(), ADVANCE, clock["id"])
    return clock


def _check_distance(tx: Transaction, clock: Object, until: int) -> None:
    """
    Refuse to go too far at once, as Stripe does.

    :raises StripeError: if it is more than two intervals of the shortest subscription.
    """
    lengths = []
    for subscription in tx.where(state.KIND, test_clock=clock["id"]):
        if subscription["status"] not in state.ENDED:
            interval, count = state.interval_of(tx, subscription)
            lengths.append(periods.shifted(clock["frozen_time"], interval, count * 2))
    if lengths and until > min(lengths):
        raise invalid(
            f"You can only advance a test clock by {MOST_INTERVALS} intervals of its shortest "
            f"subscription at once: to {min(lengths)} at the most.",
            param="frozen_time",
        )


def fail(tx: Transaction, id_: str) -> None:
    """Own up to a clock that could not be moved: it stands where it stood, and stays there."""
    clock = tx.find(KIND, id_)
    if clock is None:
        return
    clock.update(status="internal_failure", status_details={})
    tx.emit("test_helpers.test_clock.internal_failure", clock)


timers.ON_FAILURE[ADVANCE] = fail


@timer(ADVANCE)
def finish(tx: Transaction, id_: str) -> None:
    """Let all that is due happen, each at its own time."""
    clock = tx.find(KIND, id_)
    if clock is None:
        return
    advance(tx, clock, clock["status_details"]["advancing"]["target_frozen_time"])
    clock.update(status="ready", status_details={})
    tx.emit("test_helpers.test_clock.ready", clock)
