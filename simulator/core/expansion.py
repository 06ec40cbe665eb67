"""Expand: puts objects in the place of their ids, up to four levels deep."""

from typing import TYPE_CHECKING, Any

from simulator.core import description
from simulator.core.errors import StripeError, invalid
from simulator.core.values import Object
from simulator.core.views import INCLUDED, render

if TYPE_CHECKING:
    from simulator.core.world import World

MAX_DEPTH = 4
LISTS = ("list", "search_result")


def expand(world: "World", body: Object, paths: list[str]) -> None:
    """
    Expand an answer in place.

    :raises StripeError: if a path goes too deep or to what cannot be expanded.
    """
    for path in paths:
        parts = path.split(".")
        if len(parts) > MAX_DEPTH:
            message = f"You cannot expand more than {MAX_DEPTH} levels of a property ({path})."
            raise invalid(message, param="expand")
        _expand(world, body, None, parts, path)


def _expand(world: "World", holder: Any, schema: Any, parts: list[str], path: str) -> None:
    if isinstance(holder, list):
        items = description.resolve(schema).get("items") if schema is not None else None
        for item in holder:
            _expand(world, item, items, parts, path)
        return
    if not isinstance(holder, dict) or not parts:
        return
    name, rest = parts[0], parts[1:]
    if holder.get("object") in LISTS:
        if name == "data":
            _expand(world, holder["data"], None, rest, path)
        elif name == "total_count":
            holder.setdefault("total_count", len(holder["data"]))
        else:
            raise _cannot(path)
        return
    kind = holder.get("object")
    if kind is not None and not holder.get("deleted"):
        schema = description.schema_of(kind)
    property_ = description.property_of(schema, name) if schema else None
    if property_ is None or not description.is_expandable(schema, name):
        if holder.get("deleted"):
            return
        raise _cannot(path)
    _put(world, holder, name, property_)
    _expand(world, holder.get(name), property_, rest, path)


def _put(world: "World", holder: Object, name: str, property_: Any) -> None:
    include = INCLUDED.get((holder.get("object", ""), name))
    if include is not None and not holder.get(name):
        holder[name] = include(world, holder)
        return
    kinds = description.expansions(property_)
    items = description.expansions(description.resolve(property_).get("items") or {})
    value = holder.get(name)
    if isinstance(value, str) and kinds:
        holder[name] = _object(world, kinds, value)
    elif isinstance(value, list) and items:
        holder[name] = [_object(world, items, v) if isinstance(v, str) else v for v in value]


def _object(world: "World", kinds: list[str], id_: str) -> Any:
    for kind in kinds:
        if (row := world.store.find(kind, id_)) is not None:
            return render(world, row)
        gone = world.store.find("_deleted", id_)
        if gone is not None and gone["stub"]["object"] == kind:
            return dict(gone["stub"])
    return id_


def _cannot(path: str) -> StripeError:
    return invalid(f"This property cannot be expanded ({path}).", param="expand")
