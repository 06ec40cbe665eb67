"""Events: what happened, in the order in which it happened."""

import json
from fnmatch import fnmatchcase

from simulator.core.call import Call
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World

KIND = "event"
MAX_TYPES = 20


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Put in what happened, which is kept as text."""
    body["data"] = json.loads(world.store.kinds[KIND].rows[body["id"]]["_data"])


@route("GET", "/v1/events")
def index(call: Call) -> Object:
    """List events, newest first; `type` may end in `*`."""
    types = list(call.get("types", []))
    if len(types) > MAX_TYPES or (types and "type" in call.params):
        raise invalid("You may pass up to 20 `types`, and not together with `type`.", param="types")
    if "type" in call.params:
        types = [call["type"]]
    success = call.get("delivery_success")

    def keep(event: Object) -> bool:
        if types and not any(fnmatchcase(event["type"], wanted) for wanted in types):
            return False
        return success is None or (event["pending_webhooks"] == 0) == success

    return call.page(KIND, keep=keep)


@route("GET", "/v1/events/{id}")
def read(call: Call) -> Object:
    """Return an event."""
    return call.tx.get(KIND, call.path["id"])
