"""
How the parameters of an external operation are described: a part of JSON Schema 2020-12.

One object of plain values, each with a type and perhaps a list, bounds and a default. What
refers elsewhere, or can be slow to check, is not taken. The description is itself checked by
a schema, so that one library says what both of them mean.
"""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

LONGEST_TEXT = 1000  # characters
MOST_PARAMETERS = 20

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
    known = schema.get("properties", {})
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
    return found


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
