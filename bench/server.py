"""One durable PostgreSQL for all contestants, and a database for each."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from embedded.keeper import attach, read_state

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".coffer" / "bench"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL whose commits are on disk when it says so."""

    url: str  # of its database `postgres`
    pgbench: Path | None  # the program, if the wheel has it

    def url_of(self, database: str) -> str:
        """Return the address of one of its databases."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Open a connection that commits each statement."""
        return psycopg.connect(self.url_of(database), autocommit=True)

    @contextmanager
    def database(self, purpose: str) -> Iterator[str]:
        """Make an empty database, give its address, and drop it at the end."""
        name = f"bench_{purpose}_{os.getpid()}"
        self._run("CREATE DATABASE {}", name)
        try:
            yield self.url_of(name)
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def analyze(self) -> None:
        """Let the planner know every database of this run as it is now."""
        with self.connect() as connection:
            found = connection.execute(
                "SELECT datname FROM pg_database WHERE datname ~ '^(bench|coffer_test)_'"
            ).fetchall()
        for (name,) in found:
            with self.connect(name) as connection:
                connection.execute("ANALYZE")

    def _run(self, statement: str, name: str) -> None:
        with self.connect() as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextmanager
def durable_server(*, preload: str = "") -> Iterator[Server]:
    """
    Start the embedded PostgreSQL below `.coffer/bench` and stop it at the end.

    `preload` is a library that it must have been started with; others it must not have.

    :raises RuntimeError: if it would lose what it said was written.
    """
    attachment = attach("postgres", HOME)
    if _set_preload(attachment.url(), preload):
        attachment.close()
        _wait_for_the_end()
        attachment = attach("postgres", HOME)
    pgbench = attachment.server.binary("pgbench")
    server = Server(attachment.url(), pgbench if pgbench.exists() else None)
    try:
        _drop_leftovers(server)
        with server.connect() as connection:
            for name, wanted in DURABLE.items():
                (value,) = connection.execute(f"SHOW {name}").fetchone()
                if value != wanted:
                    raise RuntimeError(f"{name} is {value}: nothing measured here would count.")
        yield server
    finally:
        attachment.close()


def _set_preload(url: str, library: str) -> bool:
    """Ask for the library at the next start; return whether that start is still to come."""
    with psycopg.connect(url, autocommit=True) as connection:
        (value,) = connection.execute("SHOW shared_preload_libraries").fetchone()
        if value == library:
            return False
        # An empty name would be looked for as a library, and not be found.
        order = sql.SQL("ALTER SYSTEM SET shared_preload_libraries = {}").format(library)
        connection.execute(order if library else "ALTER SYSTEM RESET shared_preload_libraries")
        return True


def _wait_for_the_end() -> None:
    deadline = time.monotonic() + 30
    while read_state(HOME, "postgres"):
        if time.monotonic() > deadline:
            raise RuntimeError("Another run uses the server; try again when it has ended.")
        time.sleep(0.1)


def _drop_leftovers(server: Server) -> None:
    """Drop the databases of runs that were killed."""
    with server.connect() as connection:
        names = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^bench_.*_[0-9]+$'"
        ).fetchall()
        for (name,) in names:
            if not Path(f"/proc/{name.rpartition('_')[2]}").exists():
                connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
