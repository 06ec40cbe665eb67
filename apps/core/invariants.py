"""What must always be true, as SQL: run after tests, hourly, and by `manage.py verify`."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class Invariant:
    """
    A sentence and the query that tests it.

    `sql` returns one row: how many rows were examined, how many break the rule, and
    an example of one that does (or NULL).
    """

    code: str
    sentence: str
    sql: str


@dataclass(frozen=True)
class Finding:
    """What one invariant's query said."""

    invariant: Invariant
    examined: int
    failures: int
    example: str | None
    seconds: float


_registry: dict[str, Invariant] = {}


def register(*invariants: Invariant) -> None:
    """
    Add invariants to those that `verify` runs.

    :raises ValueError: if a code is already taken by another invariant.
    """
    for invariant in invariants:
        if _registry.setdefault(invariant.code, invariant) != invariant:
            raise ValueError(f"Two invariants are called {invariant.code}.")


def all_invariants() -> list[Invariant]:
    """Return every registered invariant, by code."""
    return [_registry[code] for code in sorted(_registry)]


def verify(invariants: Iterable[Invariant] | None = None) -> Iterator[Finding]:
    """Run each query and yield what it found; writes nothing."""
    for invariant in all_invariants() if invariants is None else invariants:
        started = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(invariant.sql)
            examined, failures, example = cursor.fetchone()
        yield Finding(invariant, examined, failures, example, time.monotonic() - started)
