"""
How the parameters of an external operation are described: a part of JSON Schema 2020-12.

One object of plain values, each with a type and perhaps a list, bounds and a default. What
refers elsewhere, or can be slow to check, is not taken. The description is itself checked by
a schema, so that one library says what both of them mean.
"""

import math
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

LONGEST_TEXT = 1000  # characters
MOST_PARAMETERS = 20
RESERVED = ("style", "style_version", "look")  # what an area with a style has beside its own

_PLAIN = {"type": ["string", "number", "boolean"]}
DESCRIPTION = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "$schema": {"const": "https://json-schema.org/draft/2020-12/schema"},
            "type": {"const": "object"},
            "required": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            "properties": {
                "type": "object",
                "maxProperties": MOST_PARAMETERS,
                "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,39}$"},
                "additionalProperties": {
                    "type": "object",
                    "required": ["type"],
                    "additionalProperties": False,
                    "properties": {
                        "type": {"enum": ["string", "integer", "number", "boolean"]},
                        "title": {"type": "string"},
                        "description": {"type": "string"},
                        "enum": {"type": "array", "minItems": 1, "items": _PLAIN},
                        "minimum": {"type": "number"},
                        "maximum": {"type": "number"},
                        "default": _PLAIN,
                    },
                },
            },
        },
    }
)


def check_description(schema: Any) -> None:
    """
    Check that a description is one that we understand, and that its defaults fit it.

    :raises ValueError: with (place, problem), where it does not.
    """
    _check(DESCRIPTION, schema)
    _check_storable("schema", schema)
    known = schema.get("properties", {})
    for name in RESERVED:
        if name in known:
            raise ValueError(f"properties.{name}", "This name is kept for styles. Choose another.")
    for name in schema.get("required", ()):
        if name not in known:
            raise ValueError("required", f"{name} is not among the properties.")
    defaults = {name: one["default"] for name, one in known.items() if "default" in one}
    _check(_validator({"properties": known}), defaults)


def fitted(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the parameters with the defaults of what was left out.

    :raises ValueError: with (parameter, problem) if one is unknown, wrong or missing.
    """
    known = schema.get("properties", {})
    for name in parameters:
        if name not in known:
            can_be = ", ".join(known) or "none at all"
            raise ValueError(name, f"This parameter is not known; there can be {can_be}.")
    for name in schema.get("required", ()):
        if name not in parameters and "default" not in known[name]:
            raise ValueError(name, "This parameter is required.")
    defaults = {name: one["default"] for name, one in known.items() if "default" in one}
    found = defaults | dict(parameters)
    _check(_validator({"properties": known}), found)
    for name, value in found.items():
        _check_storable(name, value)
        if known[name]["type"] == "integer":  # 2.0 is one, too
            found[name] = int(value)
    return found


def _check_storable(where: str, value: Any) -> None:
    """
    Check that PostgreSQL can keep a value.

    :raises ValueError: with (where, problem) if a text or a number in it cannot be kept.
    """
    if isinstance(value, str) and any(one == "\0" or "\ud800" <= one <= "\udfff" for one in value):
        raise ValueError(where, "This text has a character that cannot be kept. Leave it out.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(where, "This number is too large to be kept. Give a smaller one.")
    if isinstance(value, Mapping):
        value = list(value.values())
    for one in value if isinstance(value, list) else ():
        _check_storable(where, one)


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Return what checks values, with the bound of each text."""
    bounded = {
        name: {"maxLength": LONGEST_TEXT, **one} for name, one in schema["properties"].items()
    }
    return Draft202012Validator({"properties": bounded})


def _check(validator: Draft202012Validator, value: Any) -> None:
    error: ValidationError | None = best_match(validator.iter_errors(value))
    if error is not None:
        where = ".".join(str(one) for one in error.absolute_path)
        raise ValueError(where or "schema", f"{error.message[:300]}.")
