"""Where objects are kept: by kind, in the order in which they were made."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from simulator.core.values import Object

# Fields by which objects are looked for; each is an index, so lists stay quick.
INDEXED = (
    "charge",
    "clock",
    "customer",
    "email",
    "invoice",
    "payment_intent",
    "session",
    "subject",
    "subscription",
    "test_clock",
)


class Collection:
    """All objects of one kind."""

    def __init__(self) -> None:
        self.rows: dict[str, Object] = {}
        self._order: list[str | None] = []
        self._place: dict[str, int] = {}
        self._index: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)

    def add(self, row: Object) -> None:
        """Put a new object at the end."""
        self.rows[row["id"]] = row
        self._place[row["id"]] = len(self._order)
        self._order.append(row["id"])
        self.index(row)

    def put_back(self, row: Object, place: int) -> None:
        """Undo a removal."""
        self.rows[row["id"]] = row
        self._place[row["id"]] = place
        self._order[place] = row["id"]
        self.index(row)

    def remove(self, row: Object) -> int:
        """Take an object out; return its place, for the case that it must come back."""
        del self.rows[row["id"]]
        place = self._place.pop(row["id"])
        self._order[place] = None
        self.unindex(row)
        return place

    def index(self, row: Object) -> None:
        """Make an object findable by the fields and the metadata that it has now."""
        for key in _keys(row):
            self._index[key][row["id"]] = None

    def unindex(self, row: Object) -> None:
        """Forget an object under the fields and the metadata that it has now."""
        for key in _keys(row):
            self._index[key].pop(row["id"], None)

    def matching(self, equals: dict[str, Any]) -> list[Object]:
        """Return the objects with these values, oldest first."""
        rows: Any = self.rows.values()
        for field, value in equals.items():
            if field in INDEXED and isinstance(value, str):
                rows = self._indexed((field, value))
                break
        return [row for row in rows if all(row.get(f) == v for f, v in equals.items())]

    def with_metadata(self, name: str, value: str) -> list[Object]:
        """Return the objects with this piece of metadata in any case, oldest first."""
        return self._indexed((f"metadata.{name}", value.lower()))

    def _indexed(self, key: tuple[str, str]) -> list[Object]:
        """Return what is listed under a key; the list may be out of date, so look again."""
        places = sorted(self._place[id_] for id_ in self._index.get(key, ()) if id_ in self._place)
        return [self.rows[id_] for place in places if (id_ := self._order[place])]

    def newest(self, after: str | None = None) -> Iterator[Object]:
        """Yield objects from the newest to the oldest, those behind `after` if it is given."""
        start = self._place[after] - 1 if after else len(self._order) - 1
        for place in range(start, -1, -1):
            if id_ := self._order[place]:
                yield self.rows[id_]

    def oldest(self, after: str) -> Iterator[Object]:
        """Yield the objects that are newer than `after`, the oldest of them first."""
        for place in range(self._place[after] + 1, len(self._order)):
            if id_ := self._order[place]:
                yield self.rows[id_]

    def place_of(self, id_: str) -> int:
        """Return a number that grows with the order of creation."""
        return self._place[id_]


def _keys(row: Object) -> Iterator[tuple[str, str]]:
    for field in INDEXED:
        if isinstance(value := row.get(field), str):
            yield field, value
    for name, value in (row.get("metadata") or {}).items():
        yield f"metadata.{name}", value.lower()


class Store:
    """All objects of all kinds."""

    def __init__(self) -> None:
        self.kinds: dict[str, Collection] = defaultdict(Collection)

    def find(self, kind: str, id_: str) -> Object | None:
        """Return one object, if it is there. It must not be changed by way of this."""
        return self.kinds[kind].rows.get(id_)

    def dump(self) -> dict[str, list[Object]]:
        """Return everything as JSON."""
        return {kind: list(one.newest())[::-1] for kind, one in self.kinds.items() if one.rows}

    def load(self, dumped: dict[str, list[Object]]) -> None:
        """Take in what `dump` gave out."""
        self.kinds.clear()
        for kind, rows in dumped.items():
            for row in rows:
                self.kinds[kind].add(row)
