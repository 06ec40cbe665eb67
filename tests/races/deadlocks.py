"""Count the deadlocks that the server has had to break, as the server itself tells them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from tests.environment import HOME, attachments

LOG = HOME / "postgres.log"  # of the embedded server; another one's log is not ours to read


@dataclass
class Told:
    """What the server told while a block ran."""

    in_log: int | None = None  # None: the server is not the embedded one
    in_statistics: int = 0
    waits: int = 0  # for a lock, longer than deadlock_timeout; so it was not too quiet

    @property
    def deadlocks(self) -> int:
        """The greater of both counts."""
        return max(self.in_log or 0, self.in_statistics)


@contextmanager
def deadlocks_counted() -> Iterator[Told]:
    """
    Count deadlocks in the server's log and in its statistics for this database.

    The block must have closed its connections: a backend tells its counts when it ends.
    """
    told = Told()
    log = _log_of_our_server()
    begins_at = log.stat().st_size if log else 0
    before = _counted_by_statistics()
    yield told
    told.in_statistics = _counted_by_statistics() - before
    if log:
        with log.open("rb") as lines:
            lines.seek(begins_at)
            said = lines.read()
        told.in_log = said.count(b"deadlock detected")
        told.waits = said.count(b"still waiting for")


def _log_of_our_server() -> Path | None:
    """Return the log that the embedded server writes, if it is the one that we use."""
    is_embedded = any(one.server.name == "postgres" for one in attachments)
    return LOG if is_embedded else None


def _counted_by_statistics() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
