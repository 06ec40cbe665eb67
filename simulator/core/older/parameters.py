"""
Parameters of older versions of the API that Stripe's own command line still sends.

The answers are of today's version all the same. What is not named here is refused as unknown.
"""

from typing import Any

from simulator.core import description

TEXT = {"type": "string"}
UNSETTABLE = {"anyOf": [TEXT, {"type": "string", "enum": [""]}]}
INTEGER = {"type": "integer"}


def accept(method: str, template: str, name: str, schema: dict[str, Any], *into: str) -> None:
    """
    Let an operation take one more parameter.

    `into` leads to the hash that has it; lists on the way are seen through. What it stands
    for today is no longer required.
    """
    holder: Any = description.operation(method, template)
    for part in into:
        holder = holder["properties"][part]
        holder = holder.get("items", holder)
    holder["properties"][name] = schema


def release(method: str, template: str, name: str) -> None:
    """Let a parameter of today be left out, since an older one may stand for it."""
    required = (description.operation(method, template) or {})["required"]
    if name in required:
        required.remove(name)
