"""Lists: a page at a time, the newest first, with a cursor."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from simulator.core.errors import invalid, no_such
from simulator.core.store import Collection
from simulator.core.values import Object
from simulator.core.views import list_of

if TYPE_CHECKING:
    from simulator.core.transaction import Transaction

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def page(
    tx: "Transaction",
    kind: str,
    params: Object,
    url: str,
    equals: Object,
    keep: Callable[[Object], bool] | None,
) -> Object:
    """
    Return one page of a list.

    :raises StripeError: if the limit is out of range or the cursor is not an object.
    """
    limit = limit_of(params)
    collection = tx.world.store.kinds[kind]
    after, before = params.get("starting_after"), params.get("ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in collection.rows:
            raise no_such(kind, cursor, name)
    rows = _in_order(collection, equals, after, before)
    wanted = (row for row in rows if fits(row, params, equals) and (keep is None or keep(row)))
    found = list(islice(wanted, limit + 1))
    shown = found[:limit] if before is None else found[:limit][::-1]
    return {**list_of([tx.public(row) for row in shown], url), "has_more": len(found) > limit}


def limit_of(params: Object) -> int:
    """
    Return how many objects are wanted.

    :raises StripeError: if it is not between 1 and 100.
    """
    limit: int = params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        bound = "greater than or equal to 1" if limit < 1 else f"less than or equal to {MAX_LIMIT}"
        raise invalid(
            f"This value must be {bound} (it currently is '{limit}').",
            param="limit",
            code="parameter_invalid_integer",
        )
    return limit


def _in_order(
    collection: Collection, equals: Object, after: str | None, before: str | None
) -> Iterable[Object]:
    """Return candidates, newest first; behind `before` the other way round."""
    if any(isinstance(value, str) for value in equals.values()):
        rows = collection.matching(equals)
        if before is not None:
            edge = collection.place_of(before)
            return [row for row in rows if collection.place_of(row["id"]) > edge]
        if after is not None:
            edge = collection.place_of(after)
            rows = [row for row in rows if collection.place_of(row["id"]) < edge]
        return reversed(rows)
    return collection.oldest(before) if before is not None else collection.newest(after)


def fits(row: Object, params: Object, equals: Object) -> bool:
    """Say whether an object has these values and was created in the time asked for."""
    if any(row.get(name) != value for name, value in equals.items()):
        return False
    return "created" not in params or in_range(row["created"], params["created"])


def in_range(value: int, wanted: Any) -> bool:
    """Say whether a time is the one that is wanted, or between its bounds."""
    if isinstance(wanted, dict):
        return all(COMPARISONS[name](value, bound) for name, bound in wanted.items())
    return bool(value == wanted)
