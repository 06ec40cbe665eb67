"""
What is kept of a person: gathered for him from every app, and left out of rows that stay.

Personal values in rows that nobody can change: a token stands in the row for each of them.

The token is a salted SHA-256 of the value. What is sealed over the row covers the token, and
with it the value for as long as the value is kept beside it; once value and salt are deleted,
the token says nothing, and every seal still fits. Why: docs/adr/0012.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(r"personal:[0-9a-f]{64}")
GONE = "(erased)"
ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
# Whatever stands under one of these names is somebody's own, or may be.
PERSONAL = frozenset(
    {"avatar_url", "billing_email", "browser", "description", "email", "filename", "full_name"}
    | {"ip", "name", "note", "slug", "ticket", "user_agent", "website"}
    | {"legal_name", "line1", "line2", "po_number", "tax_id"}  # he may trade in his own name
)


@dataclass(frozen=True)
class Concealed:
    """A value for which a token stands."""

    token: str
    salt: bytes
    value: str


def token_of(salt: bytes, value: str) -> str:
    """Return the token that stands for the value."""
    return f"personal:{hashlib.sha256(salt + value.encode()).hexdigest()}"


def conceal(facts: Any, kept: list[Concealed], *, name: str = "") -> Any:
    """
    Return the facts with a token for each personal text; what they stand for goes to `kept`.

    `name` is that under which they stand. All that stands below a personal name is personal.
    """
    if isinstance(facts, Mapping):
        return {
            key: conceal(value, kept, name=name if name in PERSONAL else str(key))
            for key, value in facts.items()
        }
    if isinstance(facts, list | tuple):
        return [conceal(value, kept, name=name) for value in facts]
    if not isinstance(facts, str) or not (name in PERSONAL or ADDRESS.search(facts)):
        return facts
    if not facts or TOKEN.fullmatch(facts):
        return facts
    salt = secrets.token_bytes(16)
    kept.append(Concealed(token_of(salt, facts), salt, facts))
    return kept[-1].token


def has_tokens(facts: Any) -> bool:
    """Tell whether a token stands anywhere in the facts."""
    if isinstance(facts, Mapping):
        return any(map(has_tokens, facts.values()))
    if isinstance(facts, list):
        return any(map(has_tokens, facts))
    return isinstance(facts, str) and TOKEN.fullmatch(facts) is not None


def reveal(facts: Any, known: Mapping[str, str]) -> Any:
    """Return the facts with what the tokens stand for; for what is kept no more, GONE."""
    if isinstance(facts, Mapping):
        return {key: reveal(value, known) for key, value in facts.items()}
    if isinstance(facts, list):
        return [reveal(value, known) for value in facts]
    if isinstance(facts, str) and TOKEN.fullmatch(facts):
        return known.get(facts, GONE)
    return facts


Collector = Callable[[Any], Iterable[Mapping[str, Any]]]  # a person's rows, as plain values
_parts: dict[str, Collector] = {}


def register(part: str, collector: Collector) -> None:
    """Add a part to what a person gets when he asks for all that is kept of him."""
    _parts[part] = collector


def parts() -> dict[str, Collector]:
    """Return the parts of his file by name, in the order of their names."""
    return dict(sorted(_parts.items()))
