"""Stripe's own description of its API, condensed by `simulator.describe`."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from simulator.core.values import Object, copy

FILE = Path(__file__).parents[1] / "data" / "stripe-api.json.gz"


@cache
def _description() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    return found


def api_version() -> str:
    """Return the one version of the API that is spoken here."""
    version: str = _description()["version"]
    return version


def operation(method: str, template: str) -> dict[str, Any] | None:
    """Return an operation's parameters and answer, if Stripe has the operation."""
    found: dict[str, Any] | None = _description()["operations"].get(f"{method} {template}")
    return found


def schemas() -> dict[str, Any]:
    """Return all schemas by name."""
    found: dict[str, Any] = _description()["schemas"]
    return found


def resolve(schema: Any) -> dict[str, Any]:
    """Return what a schema refers to, or itself."""
    while "$ref" in schema:
        schema = schemas()[schema["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = schema
    return found


@cache
def _skeleton(kind: str) -> Object:
    return _object(schema_of(kind) or {}, frozenset([kind]))


def skeleton(kind: str) -> Object:
    """
    Return an object of this kind with every field that Stripe always sends.

    Fields that may be null are null, those that must be something are empty or the first
    of their choices. Whoever makes an object fills in what is true of it.
    """
    found: Object = copy(_skeleton(kind))
    return found


def _object(schema: dict[str, Any], seen: frozenset[str]) -> Object:
    required = set(schema.get("required", ()))
    return {
        name: _value(property_, seen)
        for name, property_ in schema.get("properties", {}).items()
        if name in required or property_.get("nullable")
    }


def _value(schema: dict[str, Any], seen: frozenset[str]) -> Any:
    if schema.get("nullable"):
        return None
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {} if name in seen else _object(resolve(schema), seen | {name})
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], seen)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return _object(schema, seen)
        case "array":
            return []
        case "boolean":
            return False
        case "integer" | "number":
            return 0
    return ""


def property_of(schema: Any, name: str) -> dict[str, Any] | None:
    """Return the schema of a property, seen through references and alternatives."""
    schema = resolve(schema)
    if name in schema.get("properties", {}):
        found: dict[str, Any] = schema["properties"][name]
        return found
    for alternative in schema.get("anyOf", ()):
        if (inner := property_of(alternative, name)) is not None:
            return inner
    return None


def is_expandable(schema: Any, name: str) -> bool:
    """Say whether a path of `expand` may lead through this property."""
    schema = resolve(schema)
    if name in schema.get("x-expandableFields", ()):
        return True
    return any(is_expandable(alternative, name) for alternative in schema.get("anyOf", ()))


def expansions(property_: dict[str, Any]) -> list[str]:
    """Return the kinds of objects whose id may stand in this property."""
    choices = property_.get("x-expansionResources", {}).get("oneOf", ())
    kinds = []
    for choice in choices:
        name = choice["$ref"].rpartition("/")[2]
        if not name.startswith("deleted_"):
            kinds.append(kind_of(name))
    return kinds


@cache
def kind_of(name: str) -> str:
    """Return what an object of the schema says of itself in `object`."""
    property_ = schemas()[name].get("properties", {}).get("object", {})
    kind: str = property_.get("enum", [name])[0]
    return kind


@cache
def schema_of(kind: str) -> dict[str, Any] | None:
    """Return the schema of objects that say they are of this kind."""
    if kind in schemas():
        found: dict[str, Any] = schemas()[kind]
        return found
    for name, schema in schemas().items():
        if not name.startswith("deleted_") and schema.get("x-resourceId") and kind_of(name) == kind:
            match: dict[str, Any] = schema
            return match
    return None
