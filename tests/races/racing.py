"""Work that begins at the same moment."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

from django.db import connection, transaction


class Team:
    """Threads that begin together as often as they are asked, each on a connection of its own."""

    def __init__(self, pool: ThreadPoolExecutor, size: int) -> None:
        self._pool = pool
        self._barrier = Barrier(size)  # so each thread has one work, and none has two

    def at_once[T](self, works: Sequence[Callable[[], T]]) -> list[T]:
        """Run as many works as there are threads at the same moment."""
        assert len(works) == self._barrier.parties, "with fewer, those there would wait for ever"

        def run(work: Callable[[], T]) -> T:
            connection.ensure_connection()
            self._barrier.wait()
            return work()

        return list(self._pool.map(run, works))

    def close(self) -> None:
        """Let each thread close its connection."""

        def hang_up() -> None:
            connection.close()
            self._barrier.wait()

        for done in [self._pool.submit(hang_up) for _ in range(self._barrier.parties)]:
            done.result()


@contextmanager
def team(size: int) -> Iterator[Team]:
    """Give so many threads, which keep their connections until the end of the block."""
    with ThreadPoolExecutor(max_workers=size) as pool:
        racers = Team(pool, size)
        try:
            yield racers
        finally:
            racers.close()


def at_once[T](works: Sequence[Callable[[], T]]) -> list[T]:
    """Run these at the same moment, each on a connection of its own."""
    with team(len(works)) as racers:
        return racers.at_once(works)


def meanwhile[T](slow: Callable[[], object], other: Callable[[], T]) -> T:
    """
    Do one thing and commit it only when another waits for it, or is done; return the other's.

    The other begins when the one has done all but its commit.
    """
    begun, done = Event(), Event()

    def slowly() -> None:
        with transaction.atomic():
            try:
                slow()
            finally:
                begun.set()
            wait_until_awaited(done)

    def do_other() -> T:
        begun.wait()
        try:
            return other()
        finally:
            done.set()

    _, told = at_once([slowly, do_other])
    return told


def wait_until_awaited(done: Event) -> None:
    """Wait until another connection waits for a lock of this one, or until `done` is set."""
    while not done.wait(0.01) and not _is_awaited():
        pass


def _is_awaited() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])
