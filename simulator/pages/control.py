"""The control plane below `/_sim/`: reset, time, chaos, deliveries, and a look inside."""

import json

from simulator.core.call import Call
from simulator.core.errors import invalid, no_such
from simulator.core.http import Response, as_json, redirect
from simulator.core.routing import page
from simulator.core.timers import run_due
from simulator.core.values import random_text

DAY = 86_400
LONGEST = 100 * 366 * DAY


@page("POST", "/_sim/reset")
def reset(call: Call) -> Response:
    """Forget everything."""
    call.tx.world.reset()
    if "text/html" in (call.request.header("accept") or ""):
        return redirect("/_sim")
    return as_json({"reset": True})


@page("GET", "/_sim/chaos")
def chaos(call: Call) -> Response:
    """List the rules of chaos."""
    return as_json({"rules": [rule.shown() for rule in call.tx.world.chaos.rules.values()]})


@page("POST", "/_sim/chaos")
def add_chaos(call: Call) -> Response:
    """Add a rule."""
    return as_json(call.tx.world.chaos.add(call.params).shown())


@page("DELETE", "/_sim/chaos")
def clear_chaos(call: Call) -> Response:
    """Take all rules away, and send what one of them held back."""
    call.tx.world.chaos.clear()
    call.tx.world.deliveries.release_held()
    return as_json({"rules": []})


@page("DELETE", "/_sim/chaos/{id}")
def remove_chaos(call: Call) -> Response:
    """Take one rule away."""
    call.tx.world.chaos.remove(call.path["id"])
    return as_json({"id": call.path["id"], "deleted": True})


@page("GET", "/_sim/deliveries")
def deliveries(call: Call) -> Response:
    """List attempts to deliver, newest first; `event` and `endpoint` narrow it."""
    found = call.tx.world.deliveries
    lines = [
        line
        for line in reversed(found.log)
        if all(line[name] == value for name, value in call.only("event", "endpoint").items())
    ]
    return as_json({"counts": found.counts, "deliveries": lines})


@page("POST", "/_sim/events/{event}/resend")
def resend(call: Call) -> Response:
    """Deliver an event once more, to one `endpoint` or to all that want it."""
    world = call.tx.world
    event = call.tx.get("event", call.path["event"])
    wanted = [endpoint["id"] for endpoint in world.endpoints_for(event["type"])]
    if "endpoint" in call.params:
        wanted = [call.tx.get("webhook_endpoint", call.params["endpoint"], "endpoint")["id"]]
    for endpoint in wanted:
        world.deliveries.resend(event["id"], endpoint)
    return as_json({"event": event["id"], "endpoints": wanted})


@page("POST", "/_sim/webhook_endpoints/{endpoint}/rotate")
def rotate(call: Call) -> Response:
    """Give an endpoint a new secret; the old one signs too for `seconds`, a day by default."""
    endpoint = call.tx.get("webhook_endpoint", call.path["endpoint"])
    seconds = _seconds(call, DAY)
    endpoint["_old_secret"] = endpoint["_secret"]
    endpoint["_old_secret_until"] = call.tx.now() + seconds
    endpoint["_secret"] = f"whsec_{random_text(32)}"
    return as_json({"id": endpoint["id"], "secret": endpoint["_secret"]})


@page("POST", "/_sim/clock")
def clock(call: Call) -> Response:
    """Move the simulator's own time forward by `seconds`; what is due then happens."""
    world = call.tx.world
    world.shift += _seconds(call, 0)
    return as_json({"now": world.now(), "timers": run_due(world)})


def _seconds(call: Call, default: int) -> int:
    """
    Return how many seconds are wanted.

    :raises StripeError: if they are no whole number, below zero or more than a lifetime.
    """
    try:
        seconds = int(call.params.get("seconds", default))
    except (TypeError, ValueError):
        raise invalid("seconds is a whole number.", param="seconds") from None
    if not 0 <= seconds <= LONGEST:
        words = f"Time goes forward only, by {LONGEST} seconds at most."
        raise invalid(words, param="seconds")
    return seconds


@page("GET", "/_sim/requests/{id}")
def request(call: Call) -> Response:
    """Show one request with its answer."""
    for line in reversed(call.tx.world.log):
        if line["id"] == call.path["id"]:
            return as_json({**line, "answer": json.loads(line["answer"])})
    raise no_such("request", call.path["id"])


@page("GET", "/_sim/violations")
def violations(call: Call) -> Response:
    """Tell what has gone out that Stripe's description does not allow (with `--check`)."""
    world = call.tx.world
    return as_json({"examined": world.examined, "violations": world.violations})
