"""Which function answers which address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.core import description
from simulator.core.values import Object

if TYPE_CHECKING:
    from simulator.core.call import Call
    from simulator.core.http import Response

type Handler = Callable[["Call"], Object]
type PageHandler = Callable[["Call"], "Response"]


@dataclass(frozen=True)
class Route:
    """An address with placeholders, and what is done there."""

    method: str
    template: str
    function: Callable[["Call"], Any]
    operation: dict[str, Any] | None  # None for a page
    names: tuple[str, ...]


TREE: dict[str, Any] = {}


def route(method: str, template: str, *, like: str | None = None) -> Callable[[Handler], Handler]:
    """
    Register the function of one of Stripe's operations.

    The template is written as in Stripe's description, which also tells the parameters;
    `like` names another operation's template whose parameters are to hold instead.

    :raises LookupError: if Stripe has no such operation.
    """
    operation = description.operation(method, like or template)
    if operation is None:
        raise LookupError(f"Stripe has no {method} {like or template}")

    def register(function: Handler) -> Handler:
        _add(method, template, function, operation)
        return function

    return register


def page(method: str, template: str) -> Callable[[PageHandler], PageHandler]:
    """Register the function of a page for the browser, or of the control plane."""

    def register(function: PageHandler) -> PageHandler:
        _add(method, template, function, None)
        return function

    return register


def _add(method: str, template: str, function: Any, operation: dict[str, Any] | None) -> None:
    node = TREE
    names = []
    for part in template.strip("/").split("/"):
        if part.startswith("{"):
            names.append(part.strip("{}"))
            part = "{}"  # noqa: PLW2901  whatever it is called, it holds any one part
        node = node.setdefault(part, {})
    node[f" {method}"] = Route(method, template, function, operation, tuple(names))


def match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of an address with the values of its placeholders."""
    parts = path.strip("/").split("/")
    found = _descend(TREE, parts, 0, method, [])
    if found is None:
        return None
    matched, values = found
    return matched, dict(zip(matched.names, values, strict=True))


def _descend(
    node: dict[str, Any], parts: list[str], depth: int, method: str, values: list[str]
) -> tuple[Route, list[str]] | None:
    if depth == len(parts):
        matched = node.get(f" {method}")
        return (matched, values) if matched else None
    literal = node.get(parts[depth])
    if literal is not None:
        found = _descend(literal, parts, depth + 1, method, values)
        if found is not None:
            return found
    if "{}" in node and parts[depth]:
        return _descend(node["{}"], parts, depth + 1, method, [*values, parts[depth]])
    return None
