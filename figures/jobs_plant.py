"""Customers who always want something, Coffer's worker that does it, and what befalls it."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import redis
from celery import Task

from apps.core import queue
from apps.jobs.models import GenerationArea
from config.celery import app
from figures.jobs_runner import BEGUN, FIXED, METERED, works
from figures.jobs_shop import Shop, opened
from figures.running import Redis, Running, running, wait_until

CUSTOMERS = 25
ENOUGH, MANY = 10, 60  # areas that wait at any time, and while messages are lost
SECONDS = 0.2  # of each area
FLUSHED_SECONDS = 1
CHILDREN = 3  # of a worker: two that work, and the beat
WORKER = "figures.jobs_worker"


@dataclass
class Plant:
    """A worker with two children and the beat, which has enough to do at any time."""

    shop: Shop
    coffer: Running
    redis: Redis
    worker: "subprocess.Popen[bytes]" = field(init=False)
    dead: set[int] = field(default_factory=set)  # children that were killed

    def start(self) -> None:
        """Start the worker, and wait until it works."""
        self.worker = self.coffer.work(WORKER)
        self.wait_for_work()

    def wait_for_work(self) -> None:
        """Wait until a child begins something."""
        begun = works(self.shop.runs.all(), BEGUN)
        self.want()
        wait_until(lambda: works(self.shop.runs.all(), BEGUN) > begun)

    def want(self, areas: int = ENOUGH) -> None:
        """Submit until so many wait."""
        while GenerationArea.objects.filter(status="pending").count() < areas:
            self.shop.submit_any(seconds=SECONDS)

    def kill_child(self, *, in_the_middle: bool | None = None) -> None:
        """Kill a child: one that is in the middle of an area, or any, at any moment."""
        self.want()
        wait_until(self._busy)
        if in_the_middle is None:
            in_the_middle = self.shop.chance.random() < 0.5
            time.sleep(self.shop.chance.uniform(0, SECONDS))
        found = (self._busy() if in_the_middle else set()) or self._living()
        victim = self.shop.chance.choice(sorted(found))
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        self.dead.add(victim)

    def kill_all(self) -> None:
        """Kill the worker with its children and the beat, and start another one."""
        self.dead |= self._living()
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()
        self.start()

    def run_out_of_memory(self) -> None:
        """Submit what asks for more memory than there is, and what is killed for it once."""
        self.shop.chance.choice(self.shop.customers).submit(["memory", "killed_first", "good"])

    def lose_all_messages(self) -> None:
        """
        Send FLUSHALL while areas wait and run, and once more between two workers.

        What a worker waits for is in Redis for a moment alone, and what it has is not: so a
        worker ends, with all that it began, and another one finds nothing but rows.
        """
        self.wait_for_work()
        self.want(MANY)
        until = time.monotonic() + FLUSHED_SECONDS
        with redis.Redis.from_url(self.redis.url) as broker:
            while time.monotonic() < until:
                broker.flushall()
            self.worker.terminate()
            self.worker.wait()
            broker.flushall()
        self.worker = self.coffer.work(WORKER)
        wait_until(lambda: _has_children(self.worker.pid))

    def _living(self) -> set[int]:
        pids = {run.pid for run in self.shop.runs.all()} - self.dead
        return {pid for pid in pids if Path(f"/proc/{pid}").exists()}

    def _busy(self) -> set[int]:
        return self.shop.runs.busy() & self._living()


def _has_children(pid: int) -> bool:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return len(found) >= CHILDREN


@contextmanager
def plant(*, control: str = "", operations: Sequence[str] = (FIXED, METERED)) -> Iterator[Plant]:
    """Give one that works at these, without the guard that `control` names."""
    with opened(CUSTOMERS) as shop, tempfile.TemporaryDirectory() as home:
        shop.operations = operations
        environment = {**shop.environment, "FIGURE_CONTROL": control}
        with (
            running(shop.database, Path(home), environment) as (coffer, broker),
            ringing_at(broker),
        ):
            built = Plant(shop, coffer, broker)
            built.start()
            yield built


@contextmanager
def ringing_at(broker: Redis) -> Iterator[None]:
    """Let what is submitted here ring for the workers of this broker."""
    with app.connection_for_write(url=broker.url) as connection:

        def ring(task: Task, kwargs: dict[str, object]) -> None:
            task.apply_async(kwargs=kwargs, connection=connection)

        with mock.patch.object(queue, "_ring", ring):
            yield
