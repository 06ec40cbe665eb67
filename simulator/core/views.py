"""
How objects look from outside.

Objects refer to each other by id and keep notes of ours under names with `_`. A view
completes the copy that goes out: it embeds an object, fills a list, makes an address.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.core.values import Object, public

if TYPE_CHECKING:
    from simulator.core.world import World

type View = Callable[["World", Object], None]
type Included = Callable[["World", Object], Object]

VIEWS: dict[str, View] = {}
INCLUDED: dict[tuple[str, str], Included] = {}


def view(kind: str) -> Callable[[View], View]:
    """Register the function that completes the public copy of an object, in place."""

    def register(function: View) -> View:
        VIEWS[kind] = function
        return function

    return register


def includable(kind: str, field: str) -> Callable[[Included], Included]:
    """Register the function that returns a field which is only sent if it is expanded."""

    def register(function: Included) -> Included:
        INCLUDED[kind, field] = function
        return function

    return register


def render(world: "World", row: Object) -> Object:
    """Return an object as it looks from outside now."""
    body: Object = public(row)
    complete = VIEWS.get(body.get("object", ""))
    if complete is not None and not body.get("deleted"):
        complete(world, body)
    return body


def list_of(data: list[Object], url: str, **extra: Any) -> Object:
    """Return a list object, as they stand inside of other objects."""
    return {"object": "list", "data": data, "has_more": False, "url": url, **extra}
