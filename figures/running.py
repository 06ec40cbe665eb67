"""Coffer as production runs it, on a database and a Valkey of a figure's own."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from embedded.ports import free_port
from embedded.valkey import Valkey
from embedded.watchdog import end

ROOT = Path(__file__).parents[1]
WEB_WORKERS, WORKERS = "2", "2"
START_SECONDS = 300
OURS = "config.wsgi:application"


class Redis:
    """A Valkey that can be stopped, and comes back at the same address."""

    def __init__(self, home: Path) -> None:
        self.server = Valkey(home, is_careless=True)
        self.server.prepare()
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return self.server.url(self.port)

    def start(self) -> None:
        """Let it be there."""
        self.process = subprocess.Popen(
            self.server.command(self.port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: self.server.is_ready(self.port))

    def stop(self) -> None:
        """Let it be away: connections end, and new ones are refused."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Running:
    """Processes of Coffer that end with the block in which they were started."""

    def __init__(
        self, database: str, redis: Redis, home: Path, environment: Mapping[str, str]
    ) -> None:
        self.home = home
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "DATABASE_URL": url_of(database),
            "REDIS_URL": redis.url,
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "CRITICAL",
            **environment,
        }

    def serve(self, application: str) -> str:
        """Serve an application as the image does (docker/entrypoint.sh); return its address."""
        port = free_port()
        self._start(
            *("granian", "--interface", "wsgi", application, "--workers", WEB_WORKERS),
            *("--host", "127.0.0.1", "--port", str(port), "--no-log"),
        )
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/livez"))
        return address

    def work(self, application: str = "config") -> "subprocess.Popen[bytes]":
        """Start a worker, with the beat; it leads a group of processes of its own."""
        return self._start(
            *("celery", "-A", application, "worker", "--concurrency", WORKERS, "--beat"),
            # In memory: a file that was opened before a fork is of no use after it (SQLite).
            *("--scheduler", "celery.beat:Scheduler", "--loglevel", "CRITICAL"),
            *("--without-mingle", "--without-gossip"),
        )

    def _start(self, *command: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End all of them, and what they have started."""
        groups = [process.pid for process in self.processes]
        end(groups, reap=lambda: [process.poll() for process in self.processes])
        for process in self.processes:
            process.wait()


@contextmanager
def running(
    database: str, home: Path, environment: Mapping[str, str]
) -> Iterator[tuple[Running, Redis]]:
    """Give a Redis that runs, and what else is to run, with these settings."""
    redis = Redis(home)
    redis.start()
    coffer = Running(database, redis, home, environment)
    try:
        yield coffer, redis
    finally:
        coffer.stop()
        redis.stop()


def url_of(database: str) -> str:
    """Return the address of a database on the server of this run."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()


def wait_until(is_so: Callable[[], bool]) -> None:
    """
    Wait until something that was started is there.

    :raises RuntimeError: if that takes too long.
    """
    until = time.monotonic() + START_SECONDS
    while not is_so():
        if time.monotonic() > until:
            raise RuntimeError(f"What was started is not there after {START_SECONDS} s.")
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Tell whether a server answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=START_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
