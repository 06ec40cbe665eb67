"""
Holds what goes out against Stripe's description of it.

A small validator for the part of JSON Schema that the description uses. It is stricter than
the description in one point: a field that is not described is a mistake of ours.
"""

import re
from functools import cache
from typing import Any

from simulator.core import description
from simulator.core.values import Object

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def violations(body: Object, schema: Any = None) -> tuple[list[str], int]:
    """Return what an object is not allowed to be, and how many objects were looked at."""
    check = Check()
    if schema is None:
        schema = description.schema_of(body.get("object", ""))
    if schema is None:
        return [f"no schema for {body.get('object')!r}"], 1
    check.value(schema, body, body.get("object", ""))
    return check.found, check.examined


class Check:
    """One look through one object."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.examined = 0

    def value(self, schema: Any, value: Any, path: str) -> None:
        """Look at one value and all that is inside of it."""
        if value is None and schema.get("nullable"):
            return
        schema = description.resolve(schema)
        if value is None and schema.get("nullable"):
            return
        if "anyOf" in schema:
            self._alternatives(schema["anyOf"], value, path)
            return
        wanted = TYPES.get(schema.get("type", ""), (object,))
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            if schema.get("type"):
                self.found.append(f"{path}: {value!r} is not {schema['type']}")
            return
        if "enum" in schema and value not in schema["enum"]:
            self.found.append(f"{path}: {value!r} is none of {schema['enum'][:8]}")
        if isinstance(value, str):
            self._text(schema, value, path)
        elif isinstance(value, list):
            for number, item in enumerate(value):
                self.value(schema.get("items", {}), item, f"{path}[{number}]")
        elif isinstance(value, dict):
            self._object(schema, value, path)

    def _text(self, schema: Any, value: str, path: str) -> None:
        if len(value) > schema.get("maxLength", len(value)):
            self.found.append(f"{path}: longer than {schema['maxLength']}")
        if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
            self.found.append(f"{path}: {value!r} does not match {schema['pattern']}")

    def _object(self, schema: Any, value: Object, path: str) -> None:
        self.examined += "object" in value
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                self.found.append(f"{path}.{name}: is missing")
        more = schema.get("additionalProperties", not properties)
        for name, item in value.items():
            if name in properties:
                self.value(properties[name], item, f"{path}.{name}")
            elif isinstance(more, dict):
                self.value(more, item, f"{path}.{name}")
            elif not more:
                self.found.append(f"{path}.{name}: is not described")

    def _alternatives(self, choices: list[Any], value: Any, path: str) -> None:
        kind = value.get("object") if isinstance(value, dict) else None
        best: Check | None = None
        for choice in choices:
            wanted = description.resolve(choice).get("properties", {}).get("object", {})
            if kind is not None and "enum" in wanted and kind not in wanted["enum"]:
                continue
            tried = Check()
            tried.value(choice, value, path)
            if best is None or len(tried.found) < len(best.found):
                best = tried
        if best is None:
            self.found.append(f"{path}: {kind or value!r} fits none of its alternatives")
        else:
            self.found.extend(best.found)
            self.examined += best.examined


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
