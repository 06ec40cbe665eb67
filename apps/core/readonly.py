"""Requests that may only read: each statement that would write is refused before it is sent."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from apps.core.errors import ReadOnly

READS = re.compile(
    r"[\s(]*(SELECT|WITH|VALUES|SHOW|EXPLAIN|SET|DECLARE|FETCH|CLOSE|SAVEPOINT|RELEASE|ROLLBACK)\b",
    re.IGNORECASE,
)
# A statement that begins with WITH may write; one that begins with SELECT may only through a
# function, and none of ours does. Parameters are not in the text.
WRITES_WITHIN = re.compile(
    r"\b(INSERT\s+INTO|DELETE\s+FROM|MERGE\s+INTO"
    r"|UPDATE\s+(?!OF\b|SKIP\b|NOWAIT\b)(ONLY\s+)?\S+\s+((AS\s+)?\S+\s+)?SET)\b",
    re.IGNORECASE,
)

_only_reads: ContextVar[bool] = ContextVar("coffer_only_reads", default=False)


def is_on() -> bool:
    """Tell whether what runs now may only read."""
    return _only_reads.get()


@contextmanager
def reading_only() -> Iterator[None]:
    """Refuse every write in this block, whichever service or model would send it."""
    token = _only_reads.set(True)
    try:
        yield
    finally:
        _only_reads.reset(token)


@contextmanager
def lifted() -> Iterator[None]:
    """Let the record of a refusal be written, for the length of a block."""
    token = _only_reads.set(False)
    try:
        yield
    finally:
        _only_reads.reset(token)


def check(sql: str) -> None:
    """
    Let a statement through unless it writes where only reading is allowed.

    Every connection asks this of each statement as it was given (apps/core/postgres): what
    travels in front of one would hide how it begins.

    :raises ReadOnly: if it does.
    """
    if not _only_reads.get():
        return
    if not READS.match(sql) or WRITES_WITHIN.search(sql):
        raise ReadOnly
