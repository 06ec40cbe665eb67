"""Say what a function needs from the database, where everyone can see it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Protocol, cast

from django.db import OperationalError, connection
from psycopg import Cursor
from psycopg import errors as postgres
from psycopg.rows import BaseRowFactory, tuple_row

from apps.core import readonly
from apps.core.errors import Busy
from apps.core.postgres.base import DatabaseWrapper


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


class Ask(Protocol):
    """Sends one statement of a trip."""

    def __call__(
        self, sql: str, parameters: Sequence[object], rows: BaseRowFactory[Any] = tuple_row
    ) -> Cursor[Any]:
        """Send a statement; the cursor has its rows once the trip is over."""
        ...


@contextmanager
def one_trip() -> Iterator[Ask]:
    """
    Send the statements of a block together, and wait once for all their answers.

    They run one after the other, each seeing what the ones before wrote or waited for.
    The server binds the parameters, so that it may keep the plans (DATABASE_POOLED says
    when it must not). Django's log of queries does not show these statements.

    :raises DatabaseError: at the end of the block, when one of them failed.
    """
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    driver = connection.connection

    def ask(
        sql: str, parameters: Sequence[object], rows: BaseRowFactory[Any] = tuple_row
    ) -> Cursor[Any]:
        readonly.check(sql)
        return Cursor(driver, row_factory=rows).execute(sql, parameters)

    told = cast(DatabaseWrapper, connection).to_tell()
    with connection.wrap_database_errors, driver.pipeline():
        if told:  # for whom this works: with the first statement, so that it costs no trip
            ask(told.statement(), [told.organization, told.user])
        yield ask
