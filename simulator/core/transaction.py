"""
One request's, one timer's or one page's work: all of it is kept, or nothing.

Whatever a transaction hands out may be changed in place: it has noted how the object was.
From those notes it takes back everything after an error, tells the indexes, and finds the
`previous_attributes` of events.
"""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from simulator.core import description
from simulator.core.errors import no_such
from simulator.core.values import Object, copy, dump, new_id
from simulator.core.views import render

if TYPE_CHECKING:
    from simulator.core.world import World

NOTES = "_timer"
WITH_PREVIOUS = ("charge.refunded",)


class Transaction:
    """Reads and changes objects, and tells of it in events."""

    def __init__(
        self,
        world: "World",
        *,
        request: str | None = None,
        idempotency_key: str | None = None,
        base_url: str = "",
    ) -> None:
        self.world = world
        self.base_url = base_url or world.base_url
        self.request = {"id": request, "idempotency_key": idempotency_key}
        self.events: list[Object] = []
        self._before: dict[tuple[str, str], Object | None] = {}
        self._told: dict[tuple[str, str], Object] = {}
        self._updated: dict[tuple[str, str], dict[str, Object]] = defaultdict(dict)
        self._removed: list[tuple[str, Object, int]] = []

    # Reading

    def find(self, kind: str, id_: str | None) -> Object | None:
        """Return an object, or None if there is none of this id."""
        row = self.world.store.find(kind, id_) if id_ else None
        return None if row is None else self._note(kind, row)

    def get(self, kind: str, id_: str, param: str = "id") -> Object:
        """
        Return an object.

        :raises StripeError: if it is not there: 404, or 400 if `param` names a parameter.
        """
        row = self.find(kind, id_)
        if row is None:
            raise no_such(kind, id_, param)
        return row

    def where(self, kind: str, **equals: Any) -> list[Object]:
        """Return the objects whose fields have these values, oldest first."""
        self.settle_indexes()
        rows = self.world.store.kinds[kind].matching(equals)
        return [self._note(kind, row) for row in rows]

    def public(self, row: Object) -> Object:
        """Return an object as it looks from outside at this moment."""
        return render(self.world, row)

    # Writing

    def new(
        self,
        kind: str,
        /,
        *,
        id: str | None = None,
        clock: str | None = None,
        **fields: Any,
    ) -> Object:
        """
        Make an object of a kind: Stripe's empty shape, filled with `fields`.

        `clock` is the test clock in whose time it is made. Names that begin with `_` are
        ours and never sent.
        """
        row = description.skeleton(kind)
        common = {"created": self.now(clock), "livemode": False, "metadata": {}}
        known = (description.schema_of(kind) or {}).get("properties", ())
        row.update({name: value for name, value in common.items() if name in known})
        row["object"] = kind
        row.update(fields)
        row["id"] = id or new_id(kind)
        self._before[kind, row["id"]] = None
        self.world.store.kinds[kind].add(row)
        return row

    def remove(self, row: Object) -> Object:
        """Delete an object; return what Stripe answers about deleted ones from then on."""
        kind = row["object"]
        stub = {"id": row["id"], "object": kind, "deleted": True}
        self._take_out(kind, row)
        if not kind.startswith("_"):
            self.new("_deleted", id=row["id"], stub=stub)
        return stub

    def _take_out(self, kind: str, row: Object) -> None:
        self._note(kind, row)
        before = self._before[kind, row["id"]]
        collection = self.world.store.kinds[kind]
        if before is not None:
            collection.unindex(before)
        self._removed.append((kind, row, collection.remove(row)))

    def emit(self, type_: str, row: Object, earlier: Object | None = None) -> Object | None:
        """
        Tell the world what happened, with the object as it is now.

        An event `*.updated` carries what was different before, and is left out if nothing was;
        so does that of a refunded charge. `earlier` is what it is compared to if another object
        took its place.
        """
        data: Object = {"object": self.public(row)}
        key = (row["object"], row.get("id", ""))  # a balance has no id
        self.world.check(f"event {type_}", data["object"])
        if type_.endswith(".updated") or type_ in WITH_PREVIOUS:
            previous = difference(earlier or self._earlier(key, type_), data["object"])
            if not previous:
                return None
            data["previous_attributes"] = previous
            self._updated[key][type_] = data["object"]
        else:
            self._told[key] = data["object"]
            self._updated.pop(key, None)
        # Kept as text: events are many, seldom read, and must never change.
        event = self.new("event", type=type_, data=None, _data=dump(data))
        event.update(api_version=description.api_version(), request=dict(self.request))
        # Who has not answered yet, and whether that may still come.
        event["_unheard"] = {one["id"]: True for one in self.world.endpoints_for(type_)}
        event["pending_webhooks"] = len(event["_unheard"])
        self.events.append(event)
        return event

    def _earlier(self, key: tuple[str, str], type_: str) -> Object:
        """Return how an object was when it was last told of, by this type of event."""
        if type_ in self._updated[key]:
            return self._updated[key][type_]
        if key in self._told:
            return self._told[key]
        before = self._before.get(key)
        return {} if before is None else render(self.world, before)

    # Time

    def now(self, clock: str | None = None) -> int:
        """Return the time in seconds: a test clock's, or the simulator's own."""
        frozen = self.world.store.find("test_helpers.test_clock", clock) if clock else None
        return int(frozen["frozen_time"]) if frozen else self.world.now()

    def clock_of(self, customer: str | None) -> str | None:
        """Return the test clock by which a customer lives, if any."""
        found = self.world.store.find("customer", customer) if customer else None
        clock: str | None = found.get("test_clock") if found else None
        return clock

    def schedule(self, due: int, name: str, subject: str, clock: str | None = None) -> None:
        """Have the function that is registered by `@timer(name)` called when it is time."""
        timer = self.new(NOTES, due=due, name=name, subject=subject)
        timer["clock"] = clock
        if due <= self.world.now():
            self.world.scheduled.set()  # who waits for it then waits for our lock

    def unschedule(self, subject: str, name: str | None = None) -> None:
        """Forget what was to be done with an object later."""
        for timer in self.where(NOTES, subject=subject):
            if name in (None, timer["name"]):
                self.remove(timer)

    # The end

    def commit(self) -> list[Object]:
        """Keep everything; return the events to be delivered."""
        self.settle_indexes()
        return self.events

    def roll_back(self) -> None:
        """Make everything as it was."""
        store = self.world.store
        for kind, row, place in reversed(self._removed):
            store.kinds[kind].put_back(row, place)
        for (kind, id_), before in reversed(self._before.items()):
            row = store.kinds[kind].rows[id_]
            store.kinds[kind].unindex(row)
            if before is None:
                store.kinds[kind].remove(row)
            else:
                row.clear()
                row.update(before)
                store.kinds[kind].index(row)

    def undo(self) -> None:
        """Make everything as it was, and go on: for a page that shows why nothing was done."""
        self.roll_back()
        for noted in (self._before, self._told, self._updated, self._removed, self.events):
            noted.clear()

    def _note(self, kind: str, row: Object) -> Object:
        if (kind, row["id"]) not in self._before:
            self._before[kind, row["id"]] = copy(row)
        return row

    def settle_indexes(self) -> None:
        """Let objects that were changed in place be found by what they are now."""
        for (kind, id_), before in self._before.items():
            row = self.world.store.kinds[kind].rows.get(id_)
            if row is not None:
                if before is not None:
                    self.world.store.kinds[kind].unindex(before)
                self.world.store.kinds[kind].index(row)


def difference(before: Object, after: Object) -> Object:
    """Return the fields of `before` that are not the same after, None for those not there."""
    changed: Object = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            changed[name] = difference(old, new)
        else:
            changed[name] = copy(old)
    return changed
