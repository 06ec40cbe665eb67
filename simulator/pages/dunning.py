"""The control plane's page of dunning: how invoices that were not paid are tried again."""

from dataclasses import asdict

from simulator.arithmetic.dunning import OUTCOMES
from simulator.core.call import Call
from simulator.core.errors import invalid
from simulator.core.http import Response, as_json
from simulator.core.routing import page
from simulator.resources.invoices.collecting import POLICY, policy


@page("GET", "/_sim/dunning")
def read_policy(call: Call) -> Response:
    """Return how dunning goes."""
    return as_json(asdict(policy(call.tx)))


@page("POST", "/_sim/dunning")
def set_policy(call: Call) -> Response:
    """Set after how many days it is tried again (`days=3,5,7`), and the `outcome`."""
    old = policy(call.tx)
    try:
        days = [int(day) for day in str(call.get("days", "")).split(",") if day]
    except ValueError:
        raise invalid("days are whole numbers with commas between.", param="days") from None
    outcome = call.get("outcome", old.outcome)
    if outcome not in OUTCOMES or any(day < 1 for day in days):
        raise invalid(f"outcome is one of {', '.join(OUTCOMES)}; days are over 0.")
    call.tx.new(POLICY, days=days or list(old.days), outcome=outcome)
    return read_policy(call)
