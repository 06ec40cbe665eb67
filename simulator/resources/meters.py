"""Billing meters: made, listed, switched off. Usage is not added up."""

from simulator.core.call import Call
from simulator.core.errors import invalid
from simulator.core.http import Response, as_json
from simulator.core.routing import page, route
from simulator.core.values import Object, random_text

KIND = "billing.meter"


@route("POST", "/v1/billing/meters")
def create(call: Call) -> Object:
    """Make a meter; only one that is active may listen to an event's name."""
    tx = call.tx
    if tx.where(KIND, event_name=call["event_name"], status="active"):
        raise invalid(
            f"An active meter already exists with event name `{call['event_name']}`.",
            param="event_name",
        )
    meter = tx.new(
        KIND,
        **call.only("default_aggregation", "display_name", "event_name", "event_time_window"),
        status="active",
        updated=tx.now(),
    )
    mapping = {"event_payload_key": "stripe_customer_id", "type": "by_id"}
    meter["customer_mapping"] = call.get("customer_mapping", mapping)
    meter["value_settings"] = call.get("value_settings", {"event_payload_key": "value"})
    tx.emit("billing.meter.created", meter)
    return meter


@route("GET", "/v1/billing/meters")
def index(call: Call) -> Object:
    """List meters."""
    return call.page(KIND, match=("status",))


@route("GET", "/v1/billing/meters/{id}")
def read(call: Call) -> Object:
    """Return a meter."""
    return call.tx.get(KIND, call.path["id"])


@route("POST", "/v1/billing/meters/{id}/deactivate")
def deactivate(call: Call) -> Object:
    """Let a meter listen no more."""
    return _switch(call, "inactive", "deactivated")


@route("POST", "/v1/billing/meters/{id}/reactivate")
def reactivate(call: Call) -> Object:
    """Let a meter listen again."""
    return _switch(call, "active", "reactivated")


def _switch(call: Call, status: str, verb: str) -> Object:
    meter = call.tx.get(KIND, call.path["id"])
    at = call.tx.now() if status == "inactive" else None
    meter.update(status=status, updated=call.tx.now())
    meter["status_transitions"]["deactivated_at"] = at
    call.tx.emit(f"billing.meter.{verb}", meter)
    return meter


@page("POST", "/v2/billing/meter_event_session")
def begin_stream(call: Call) -> Response:
    """Give out a token for the stream of usage, which Stripe has at another host."""
    token = random_text(40)
    return as_json(
        {
            "id": f"mes_test_{random_text(16)}",
            "object": "v2.billing.meter_event_session",
            "authentication_token": token,
            "livemode": False,
        }
    )
