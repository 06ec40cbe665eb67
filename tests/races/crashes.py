"""A process that dies right after one of its SQL statements, wherever that is."""

import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from unittest import mock

import psycopg
from django.db import connection
from psycopg.pq import PipelineStatus

from apps.core import idempotency
from apps.core.clock import moved_to
from apps.core.errors import DomainError
from tests.races.scenes import BEGINS, Attempt, Case, Scene, make_scenes

DIED, COMPLETED, WENT_WRONG = 9, 0, 1


def dies_after(statement: int, work: Callable[[], object]) -> bool:
    """
    Do the work in a child process that dies after so many statements, COMMIT among them.

    Return whether it died; if not, the work has fewer statements and is done.

    :raises AssertionError: if the work itself failed.
    """
    connection.close()  # the child must not speak on ours
    child = os.fork()
    if not child:
        os._exit(_work_and_die(statement, work))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (DIED, COMPLETED), f"the work failed before statement {statement}"
    return code == DIED


def _work_and_die(statement: int, work: Callable[[], object]) -> int:
    def die(driver: psycopg.Connection) -> None:
        if driver.pgconn.pipeline_status != PipelineStatus.OFF:
            with driver.pipeline():  # waits until the server has executed what was sent
                pass
        os._exit(DIED)

    try:
        connection.ensure_connection()  # its own statements are not the work's
        with _statements_counted(Fuse(statement, die)):
            work()
    except BaseException:
        traceback.print_exc()
        return WENT_WRONG
    return COMPLETED


@dataclass
class Fuse:
    """Counts statements that the server was sent, and burns through at the number given."""

    at: int | None = None
    burn: Callable[[psycopg.Connection], None] | None = None
    statements: int = 0

    def count(self, driver: psycopg.Connection) -> None:
        """Count one more."""
        self.statements += 1
        if self.burn and self.statements == self.at:
            self.burn(driver)


@contextmanager
def _statements_counted(fuse: Fuse) -> Iterator[Fuse]:
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def execute_and_count(cursor, *args, **named):
        result = execute(cursor, *args, **named)
        fuse.count(cursor.connection)
        return result

    def commit_and_count(driver):
        commit(driver)
        fuse.count(driver)

    with (
        mock.patch.object(psycopg.Cursor, "execute", execute_and_count),
        mock.patch.object(psycopg.Connection, "commit", commit_and_count),
    ):
        yield fuse


@dataclass
class Crashes:
    """What became of a case that died at each of its statements in turn."""

    statements: int = 0  # after which it died and was tried again, COMMIT among them
    torn: int = 0  # part of the effect was seen after a death
    wrong: int = 0  # after the second attempt, the effect was not exactly one


def crash_everywhere(case: Case, again: Attempt | None = None) -> Crashes:
    """
    Let a case die after each of its statements, each time on a fresh scene, and try again.

    The second attempt is the same, unless `again` is given.
    """
    crashes = Crashes()
    with mock.patch.object(idempotency, "LEASE_SECONDS", 0):
        (whole,) = _scenes(case, 1)
        untouched = whole.seen()
        with moved_to(BEGINS + case.after), _statements_counted(Fuse()) as counted:
            case.attempt(whole)
        expected = whole.seen()
        for statement, scene in enumerate(_scenes(case, counted.statements), start=1):
            with moved_to(BEGINS + case.after):
                assert dies_after(statement, partial(case.attempt, scene))
                if case.skips_locked:
                    _wait_until_the_server_has_noticed()
                crashes.statements += 1
                crashes.torn += scene.seen() not in (untouched, expected)
                with suppress(DomainError):  # it may say that it was decided before
                    (again or case.attempt)(scene)
                crashes.wrong += scene.seen() != expected
    return crashes


def _scenes(case: Case, count: int) -> list[Scene]:
    scenes = make_scenes(count)
    if case.prepare:
        with moved_to(BEGINS + case.after):
            for scene in scenes:
                case.prepare(scene)
    return scenes


def _wait_until_the_server_has_noticed() -> None:
    """Wait until what the dead one had locked is free again."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("the server still has the connection of a dead process")
