"""
The clock of money: the database's, unless a demo or a test has moved it.

Whatever decides on time asks here or takes `clock_timestamp()` after its lock; the
clock of a web or worker machine never decides. Inside the scope of a sandbox it is the
moment at which that organization's time stands still (docs/guides/sandbox.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, Expression, Value
from django.db.models.functions import Now

from apps.core import scope

_moved: ContextVar[datetime | None] = ContextVar("coffer_clock", default=None)


def moved() -> datetime | None:
    """Return the moment to which the clock was moved, or None if it runs."""
    return _moved.get() or (scope.current().clock_at if settings.MOVABLE_CLOCK else None)


def database_now() -> datetime:
    """Return the moment that decides what is due, UTC."""
    return _or_database(moved())


def workers_now() -> datetime:
    """
    Return the moment that decides when what was asked is asked again, UTC.

    Never that of a sandbox: time stands still there, and goes on for workers and for Stripe.
    """
    return _or_database(_moved.get())


def _or_database(moment: datetime | None) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(%s, clock_timestamp())", [moment])
        now: datetime = cursor.fetchone()[0]
        return now


def now_in_query() -> Expression:
    """Return the same moment for use inside a query, so that reading agrees with posting."""
    moment = moved()
    return Now() if moment is None else Value(moment, output_field=DateTimeField())


@contextmanager
def moved_to(moment: datetime) -> Iterator[None]:
    """
    Let the ledger believe that it is another moment, for the length of a block.

    For the demo's history and for tests.

    :raises RuntimeError: if the instance does not have MOVABLE_CLOCK set.
    """
    if not settings.MOVABLE_CLOCK:
        raise RuntimeError("The clock of this instance cannot be moved.")
    token = _moved.set(moment)
    try:
        yield
    finally:
        _moved.reset(token)
