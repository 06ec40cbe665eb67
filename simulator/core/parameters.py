"""
Holds a request against the description of its operation.

Text becomes integers, booleans and lists; an empty text where Stripe lets a field be unset
becomes None. What does not fit is refused in Stripe's words.
"""

import re
from collections.abc import Callable
from typing import Any

from simulator.core.errors import StripeError, invalid, missing, unknown
from simulator.core.values import Object

type Scalar = Callable[[dict[str, Any], str, str], Any]

INTEGER = re.compile(r"-?\d{1,18}")
DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,12})?")


def check(operation: dict[str, Any], given: Object) -> Object:
    """
    Return the parameters with their types.

    :raises StripeError: for the first one that is unknown, missing or malformed.
    """
    return _hash(operation, given, "")


def _hash(schema: dict[str, Any], given: Object, path: str) -> Object:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in given:
            raise missing(_inside(path, name))
    checked = {}
    for name, value in given.items():
        inside = _inside(path, name)
        if name not in properties:
            raise unknown(inside)
        checked[name] = _value(properties[name], value, inside)
    return checked


def _inside(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _value(schema: dict[str, Any], value: Any, path: str) -> Any:
    if "anyOf" in schema:
        return _alternatives(schema["anyOf"], value, path)
    if schema.get("type") == "object":
        return _object(schema, value, path)
    if schema.get("type") == "array":
        return _array(schema, value, path)
    if not isinstance(value, str):
        raise invalid(f"Invalid {schema.get('type', 'string')}", param=path)
    read: Scalar = SCALARS.get(schema.get("type", "string"), _text)
    return read(schema, value, path)


def _alternatives(choices: list[dict[str, Any]], value: Any, path: str) -> Any:
    if value == "" and any("" in choice.get("enum", ()) for choice in choices):
        return None
    kind = "hash" if isinstance(value, dict) else "array" if isinstance(value, list) else "scalar"
    refusal: StripeError | None = None
    for choice in choices:
        if "" in choice.get("enum", ()) or not _fits(choice, kind, value):
            continue
        try:
            return _value(choice, value, path)
        except StripeError as error:
            refusal = error
    if refusal is not None:
        raise refusal
    wanted = choices[0].get("type", "string")
    raise invalid(f"Invalid {wanted}", param=path)


def _fits(schema: dict[str, Any], kind: str, value: Any) -> bool:
    match schema.get("type"):
        case "object":
            return kind == "hash"
        case "array":
            return kind == "array" or (kind == "hash" and all(key.isdigit() for key in value))
    return kind == "scalar"


def _object(schema: dict[str, Any], value: Any, path: str) -> Object:
    if not isinstance(value, dict):
        raise invalid("Invalid object", param=path, code=None)
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return {key: _entry(values, item, _inside(path, key)) for key, item in value.items()}
    if "properties" not in schema:
        return value
    return _hash(schema, value, path)


def _entry(schema: dict[str, Any], value: Any, path: str) -> Any:
    """Check one entry of a free hash, where an empty text takes the entry away."""
    return "" if value == "" else _value(schema, value, path)


def _array(schema: dict[str, Any], value: Any, path: str) -> list[Any]:
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        value = [value[key] for key in sorted(value, key=int)]
    if not isinstance(value, list):
        raise invalid("Invalid array", param=path)
    return [_value(schema["items"], item, f"{path}[{n}]") for n, item in enumerate(value)]


def _text(schema: dict[str, Any], value: str, path: str) -> str:
    if value == "":
        raise invalid(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{path}' cannot be unset. You should remove '{path}' "
            "from your request or supply a non-empty value.",
            param=path,
            code="parameter_invalid_empty",
        )
    if "enum" in schema and value not in schema["enum"]:
        raise invalid(f"Invalid {path}: must be one of {_spoken(schema['enum'])}", param=path)
    if schema.get("format") == "decimal" and not DECIMAL.fullmatch(value):
        raise invalid(f"Invalid decimal: {value}", param=path)
    limit = schema.get("maxLength", len(value))
    if len(value) > limit:
        shown = f"{value[:20]}..."
        raise invalid(f"Invalid string: {shown}; must be at most {limit} characters", param=path)
    return value


def _integer(schema: dict[str, Any], value: str, path: str) -> int:
    if not INTEGER.fullmatch(value):
        code = "parameter_invalid_integer"
        raise invalid(f"Invalid integer: {value}", param=path, code=code)
    return int(value)


def _number(schema: dict[str, Any], value: str, path: str) -> float | int:
    if not DECIMAL.fullmatch(value):
        raise invalid(f"Invalid decimal: {value}", param=path)
    return float(value) if "." in value else int(value)


def _boolean(schema: dict[str, Any], value: str, path: str) -> bool:
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", param=path)
    return value == "true"


SCALARS: dict[str, Scalar] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}


def _spoken(choices: list[str]) -> str:
    if len(choices) < 3:
        return " or ".join(choices)
    return f"{', '.join(choices[:-1])}, or {choices[-1]}"
