"""How schedules go from one phase to the next, each at its time."""

from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World
from simulator.resources.subscriptions import changes as subscription_changes
from simulator.resources.subscriptions import phases, renewals, state, subscribing

KIND = "subscription_schedule"
START, END, EXPIRING = "schedule.start", "schedule.end", "schedule.expiring"
# Stripe's documentation says seven days; its own command line moves a clock to nine days
# before the end and expects to be told. Ten days are right for both who wait for it.
NOTICE = 10 * state.DAY


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Put tax rates into phases and items."""
    for phase in body["phases"]:
        inner = [(item, "tax_rates") for item in phase["items"]]
        for holder, name in [(phase, "default_tax_rates"), *inner]:
            rows = [world.store.find("tax_rate", id_) for id_ in holder[name] or ()]
            holder[name] = [world.public(row) for row in rows if row is not None]


def make(tx: Transaction, customer: str, clock: str | None) -> Object:
    """Make an empty schedule."""
    names = ("account_tax_ids", "custom_fields", "days_until_due", "description", "footer")
    return tx.new(
        KIND,
        clock=clock,
        billing_mode={"type": "flexible", "flexible": {"proration_discounts": "included"}},
        customer=customer,
        default_settings={
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": "automatic",
            "billing_thresholds": None,
            "collection_method": "charge_automatically",
            "default_payment_method": None,
            "description": None,
            "invoice_settings": {**dict.fromkeys(names), "issuer": {"type": "self"}},
            "on_behalf_of": None,
            "transfer_data": None,
        },
        end_behavior="release",
        status="not_started",
        test_clock=clock,
    )


def plan(tx: Transaction, schedule: Object) -> None:
    """Let a schedule go on when it is time."""
    tx.unschedule(schedule["id"])
    clock = schedule["test_clock"]
    last = schedule["phases"][-1]["end_date"]
    if schedule["status"] == "not_started":
        tx.schedule(schedule["phases"][0]["start_date"], START, schedule["id"], clock)
    else:
        end = schedule["phases"][schedule["_phase"]]["end_date"]
        tx.schedule(end, END, schedule["id"], clock)
    if not schedule.get("_is_told"):
        tx.schedule(max(last - NOTICE, tx.now(clock)), EXPIRING, schedule["id"], clock)


@timer(START)
def start(tx: Transaction, id_: str) -> None:
    """Let the first phase begin."""
    enter(tx, tx.get(KIND, id_))


def enter(tx: Transaction, schedule: Object) -> None:
    """Begin with the first phase: the subscription is made."""
    phase = schedule["phases"][0]
    customer = tx.get("customer", schedule["customer"])
    given = phases.terms(phase, schedule["default_settings"])
    given["items"] = phase["items"]
    now = tx.now(schedule["test_clock"])
    if (phases.trial_end(phase) or 0) > now:
        given["trial_end"] = phases.trial_end(phase)
    subscription = subscribing.create(tx, customer, given, is_draft_first=True)
    subscription["schedule"] = schedule["id"]
    schedule.update(status="active", subscription=subscription["id"], _phase=0)
    schedule["current_phase"] = phases.span(phase)
    plan(tx, schedule)
    tx.emit("customer.subscription.updated", subscription)
    tx.emit("subscription_schedule.updated", schedule)
    if phase["end_date"] <= now:
        advance(tx, schedule["id"])


@timer(END)
def advance(tx: Transaction, id_: str) -> None:
    """Let the next phase begin, or the schedule end."""
    schedule = tx.get(KIND, id_)
    number = schedule["_phase"] + 1
    if number == len(schedule["phases"]):
        _finish(tx, schedule)
        return
    schedule["_phase"] = number
    schedule["current_phase"] = phases.span(schedule["phases"][number])
    plan(tx, schedule)
    apply(tx, schedule, None)
    tx.emit("subscription_schedule.updated", schedule)


def apply(tx: Transaction, schedule: Object, proration: str | None) -> None:
    """Let the subscription be what the phase that runs says."""
    phase = schedule["phases"][schedule["_phase"]]
    subscription = tx.find(state.KIND, schedule["subscription"])
    if subscription is None or subscription["status"] in state.ENDED:
        return
    given = phases.terms(phase, schedule["default_settings"])
    items = state.items_of(tx, subscription)
    wanted = {item["price"]: item for item in phase["items"]}
    given["items"] = [
        {"id": item["id"], "quantity": wanted.pop(item["price"])["quantity"]}
        if item["price"] in wanted
        else {"id": item["id"], "deleted": True}
        for item in items
    ] + list(wanted.values())
    # New items first: a subscription is never without any.
    given["items"].sort(key=lambda item: bool(item.get("deleted")))
    given["proration_behavior"] = proration or phase["proration_behavior"]
    end = phases.trial_end(phase)
    if end is not None and end > tx.now(schedule["test_clock"]):
        given["trial_end"] = end
    if phase["billing_cycle_anchor"] == "phase_start":
        given["billing_cycle_anchor"] = "now"
    subscription_changes.change(tx, subscription, given)


def _finish(tx: Transaction, schedule: Object) -> None:
    """Let the last phase end: the subscription goes on by itself, or ends too."""
    subscription = tx.find(state.KIND, schedule["subscription"])
    if schedule["end_behavior"] == "release":
        _let_go(tx, schedule)
        close(tx, schedule, "completed")
        tx.emit("subscription_schedule.completed", schedule)
        return
    close(tx, schedule, "completed")
    if subscription is not None and subscription["status"] not in state.ENDED:
        renewals.cancel(tx, subscription)
    tx.emit("subscription_schedule.completed", schedule)


def release(tx: Transaction, schedule: Object) -> None:
    """Let the subscription go on without its schedule."""
    schedule["released_subscription"] = schedule["subscription"]
    _let_go(tx, schedule)
    schedule["subscription"] = None
    close(tx, schedule, "released")
    tx.emit("subscription_schedule.released", schedule)


def _let_go(tx: Transaction, schedule: Object) -> None:
    subscription = tx.find(state.KIND, schedule["subscription"])
    if subscription is not None:
        subscription["schedule"] = None
        tx.emit("customer.subscription.updated", subscription)


def close(tx: Transaction, schedule: Object, status: str) -> None:
    """End a schedule."""
    tx.unschedule(schedule["id"])
    schedule.update(status=status, current_phase=None)
    schedule[f"{status}_at"] = tx.now(schedule["test_clock"])


@timer(EXPIRING)
def tell(tx: Transaction, id_: str) -> None:
    """Tell that a schedule is about to end."""
    schedule = tx.get(KIND, id_)
    schedule["_is_told"] = True
    tx.emit("subscription_schedule.expiring", schedule)


def _catch_up(tx: Transaction, subscription: Object) -> None:
    """Change the phase before the period that begins with it is billed."""
    schedule = tx.find(KIND, subscription["schedule"])
    if schedule is None or schedule["status"] != "active":
        return
    if schedule["current_phase"]["end_date"] <= tx.now(schedule["test_clock"]):
        tx.unschedule(schedule["id"], END)
        advance(tx, schedule["id"])


state.BEFORE_RENEWAL.append(_catch_up)
