"""Say what a function needs from the database, where everyone can see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

from django.db import OperationalError, connection
from psycopg import errors as postgres

from apps.core.errors import Busy


def is_in_transaction() -> bool:
    """Test for an open transaction, not counting the one that a test case opens."""
    blocks = connection.atomic_blocks
    return bool(blocks) and not getattr(blocks[-1], "_from_testcase", False)


def inside_transaction[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run unless the caller has opened a transaction."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if not is_in_transaction():
            raise RuntimeError(f"{function.__qualname__} needs an open transaction.")
        return function(*args, **kwargs)

    return wrapper


def outside_transaction[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run while a transaction is open: the function calls the network."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if is_in_transaction():
            raise RuntimeError(f"{function.__qualname__} must not run in a transaction.")
        return function(*args, **kwargs)

    return wrapper


@contextmanager
def lock_timeout(seconds: float) -> Iterator[None]:
    """
    Wait at most so long for each lock taken in this transaction.

    :raises Busy: when a lock was not to be had in time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"]
        )
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, postgres.LockNotAvailable):
            raise Busy(retry_after=1) from error
        raise
