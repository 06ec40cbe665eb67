"""
Make `data/stripe-api.json.gz` from Stripe's OpenAPI description.

    python -m simulator.describe spec3.json[.gz]

Kept are the schemas of objects and the parameters of operations; left out are all words of
explanation, a fifth of it remains. Objects get their shape from it, and requests are held
against it, so nothing of either is written down a second time.
"""

import argparse
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "data" / "stripe-api.json.gz"
METHODS = ("get", "post", "delete")
WORDS = {"description", "title", "x-stripeBypassValidation", "explode", "style"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read a description and write ours."""
    parser = argparse.ArgumentParser(description="Condense Stripe's OpenAPI description.")
    parser.add_argument("description", type=Path)
    source = parser.parse_args(arguments).description
    opened = gzip.open if source.suffix == ".gz" else open
    with opened(source, "rt", encoding="utf-8") as file:
        condensed = condense(json.load(file))
    text = json.dumps(condensed, separators=(",", ":"), sort_keys=True)
    # Without a time inside, the same description makes the same file.
    TARGET.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def condense(description: dict[str, Any]) -> dict[str, Any]:
    """Return version, schemas and operations without their explanations."""
    return {
        "version": description["info"]["version"],
        "schemas": without_words(description["components"]["schemas"], names=True),
        "operations": {
            f"{method.upper()} {path}": parameters_of(operation)
            for path, methods in description["paths"].items()
            for method, operation in methods.items()
            if method in METHODS
        },
    }


def parameters_of(operation: dict[str, Any]) -> dict[str, Any]:
    """Return one operation's parameters as the schema of an object."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            properties[parameter["name"]] = parameter["schema"]
            if parameter.get("required"):
                required.append(parameter["name"])
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    form = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    properties.update(form.get("properties", {}))
    required.extend(form.get("required", []))
    return {
        "properties": without_words(properties, names=True),
        "required": required,
        "returns": without_words(_answer(operation)),
    }


def _answer(operation: dict[str, Any]) -> Any:
    answer = operation.get("responses", {}).get("200", {}).get("content", {})
    return answer.get("application/json", {}).get("schema", {})


def without_words(value: Any, *, names: bool = False) -> Any:
    """Return a schema without explanations; `names` if its keys are names of properties."""
    if isinstance(value, dict):
        return {
            key: without_words(item, names=key == "properties" and not names)
            for key, item in value.items()
            if names or key not in WORDS
        }
    if isinstance(value, list):
        return [without_words(item) for item in value]
    return value


if __name__ == "__main__":
    main()
