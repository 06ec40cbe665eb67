"""
Form encoding with nested names: `items[0][price]=x`, `expand[]=y`, `metadata[key]=z`.

Says nothing about types: everything is text, a list or a dictionary. Numbered names stay a
dictionary until the operation's description says that a list is meant.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from simulator.core.errors import invalid

PART = re.compile(r"\[([^\[\]]*)\]")
MAX_DEPTH = 12


def decode(text: str) -> dict[str, Any]:
    """
    Return the parameters of a query string or of a form.

    :raises StripeError: if one name is used both for a value and for a container.
    """
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        _put(found, _parts(name), value, name)
    return found


def _parts(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    parts = PART.findall(bracket + rest) if bracket else []
    if len(parts) > MAX_DEPTH or (
        bracket and sum(len(part) + 2 for part in parts) != len(rest) + 1
    ):
        raise invalid(f"Invalid parameter name: {name}", param=name)
    return [head, *parts]


def _put(container: Any, parts: list[str], value: str, name: str) -> None:
    key, rest = parts[0], parts[1:]
    if isinstance(container, list):
        _append(container, parts, value, name)
    elif not isinstance(container, dict):
        raise _confusing(name)
    elif not rest:
        if isinstance(container.get(key), dict | list):
            raise _confusing(name)
        container[key] = value
    else:
        inner = container.setdefault(key, [] if rest[0] == "" else {})
        if isinstance(inner, list) != (rest[0] == ""):
            raise _confusing(name)
        _put(inner, rest, value, name)


def _append(container: list[Any], parts: list[str], value: str, name: str) -> None:
    """Follow `[]`: a name that the last element has already begins the next element."""
    rest = parts[1:]
    if not rest:
        container.append(value)
        return
    last = container[-1] if container else None
    if not isinstance(last, dict) or (len(rest) == 1 and rest[0] in last):
        container.append({})
    _put(container[-1], rest, value, name)


def _confusing(name: str) -> Exception:
    return invalid(f"Invalid request: {name} is used both as a value and as a hash.", param=name)
