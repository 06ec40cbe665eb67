"""A look inside: what there is, what was asked, what was told, what goes wrong on purpose."""

import json
import time

from simulator.core import description
from simulator.core.call import Call
from simulator.core.chaos import DELIVERY_EFFECTS, REQUEST_EFFECTS
from simulator.core.errors import no_such
from simulator.core.http import Response, as_html
from simulator.core.routing import page
from simulator.core.values import Object
from simulator.core.world import World
from simulator.pages.looks import document, table, text

SHOWN = 20


@page("GET", "/_sim")
def inspect(call: Call) -> Response:
    """Show everything at a glance."""
    world = call.tx.world
    body = "".join(
        (
            _facts(world),
            _objects(world),
            _requests(world),
            _events(world),
            _deliveries(world),
            _chaos(world),
            _ignored(world),
        )
    )
    return as_html(document("Inside the simulator", body, wide=True))


@page("GET", "/_sim/objects/{kind}")
def objects(call: Call) -> Response:
    """Show the newest objects of one kind."""
    world = call.tx.world
    kind = call.path["kind"]
    if kind not in world.store.kinds:
        raise no_such("kind", kind)
    rows = []
    for row in world.store.kinds[kind].newest():
        shown = text(json.dumps(world.public(row), indent=2, ensure_ascii=False))
        rows.append(f"<details><summary><code>{text(row['id'])}</code></summary>"
                    f"<pre tabindex=\"0\">{shown}</pre></details>")  # fmt: skip
        if len(rows) == 5 * SHOWN:
            break
    body = f"<p><a href='/_sim'>Back</a></p>{''.join(rows)}"
    return as_html(document(kind, body, wide=True))


def _facts(world: World) -> str:
    return f"""<p class="muted">API {text(description.api_version())} · its time is
{text(_moment(world.now()))} · objects held against the description: {world.examined},
violations: {len(world.violations)}</p>
<form method="post" action="/_sim/reset"><div><button>Forget everything</button></div></form>"""


def _objects(world: World) -> str:
    rows = [
        (f"<a href='/_sim/objects/{text(kind)}'>{text(kind)}</a>", len(collection.rows))
        for kind, collection in sorted(world.store.kinds.items())
        if collection.rows and not kind.startswith("_")
    ]
    return table("Objects", ("Kind", "How many"), rows)


def _requests(world: World) -> str:
    rows = [
        (
            f"<a href='/_sim/requests/{text(line['id'])}'><code>{text(line['id'])}</code></a>",
            text(f"{line['method']} {line['path']}"),
            line["status"],
            line["milliseconds"],
        )
        for line in world.log[: -SHOWN - 1 : -1]
    ]
    return table("Requests", ("Id", "What", "Status", "ms"), rows)


def _events(world: World) -> str:
    rows = []
    for event in world.store.kinds["event"].newest():
        pending = event["pending_webhooks"]
        rows.append((f"<code>{text(event['id'])}</code>", text(event["type"]), pending))
        if len(rows) == SHOWN:
            break
    return table("Events", ("Id", "What happened", "Not yet told"), rows)


def _deliveries(world: World) -> str:
    rows = [
        (
            f"<code>{text(line['event'])}</code>",
            text(line["type"]),
            text(line["endpoint"]),
            line["attempt"] + 1,
            text(line["outcome"]),
        )
        for line in list(world.deliveries.log)[: -SHOWN - 1 : -1]
    ]
    columns = ("Event", "Type", "Endpoint", "Attempt", "Outcome")
    return table("Deliveries", columns, rows)


def _chaos(world: World) -> str:
    rules = [
        (text(rule.id), text(rule.effect), text(_aim(rule.shown())), rule.used)
        for rule in world.chaos.rules.values()
    ]
    effects = {**REQUEST_EFFECTS, **DELIVERY_EFFECTS}
    known = "".join(f"<li><code>{text(n)}</code>: {text(w)}</li>" for n, w in effects.items())
    return (
        table("Chaos", ("Rule", "Effect", "Where", "Times hit"), rules)
        + f"<details><summary>What can go wrong</summary><ul>{known}</ul></details>"
    )


def _aim(rule: Object) -> str:
    if rule["effect"] in DELIVERY_EFFECTS:
        return str(rule["event"])
    return f"{rule['method']} {rule['path']}"


def _ignored(world: World) -> str:
    rows = [
        (text(place), text(name), count) for (place, name), count in world.ignored.most_common()
    ]
    return table("Parameters that nothing was done with", ("Where", "Name", "Times"), rows)


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
