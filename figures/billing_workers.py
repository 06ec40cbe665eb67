"""Those who work on the inbox beside each other: deliverers, and workers that are killed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.billing.models import WebhookEvent
from apps.core.clock import database_now
from figures.lines import SEED
from figures.running import url_of
from tests.billing.stripe import SECRET

TIMES, DELIVERERS, WORKERS, KILLS = 3, 4, 2, 20
PATIENCE_SECONDS = 1800
PAUSE_SECONDS, BLINK_SECONDS, BUSY_SECONDS = 0.3, 0.01, 60
Event = dict[str, Any]


def environment(database: str) -> dict[str, str]:
    """Return what a process needs to work on this database, with the stand-in for Stripe."""
    return {
        **os.environ,
        "DATABASE_URL": url_of(database),
        "FIGURE_STRIPE_API_URL": settings.STRIPE_API_URL,
        "FIGURE_STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
        "FIGURE_STRIPE_WEBHOOK_SECRET": SECRET,
    }


@contextmanager
def deliverers(events: Sequence[Event], database: str) -> Iterator["subprocess.Popen[str]"]:
    """Deliver each event three times, in any order, four at once; it prints how many came in."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.json"
        file.write_text(json.dumps(events))
        command = [sys.executable, "-m", "figures.billing_deliverer", str(file)]
        command += [str(number) for number in (TIMES, DELIVERERS, SEED)]
        process = subprocess.Popen(
            command, env=environment(database), stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


class Workers:
    """Processes that handle events, of which one is killed now and then."""

    def __init__(self, database: str) -> None:
        self.environment = environment(database)
        self.kills = 0
        self.makers: list[subprocess.Popen[str]] = []
        self.workers: list[int] = []

    def __enter__(self) -> "Workers":
        command = [sys.executable, "-m", "figures.billing_worker"]
        for _ in range(WORKERS):
            maker = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, text=True
            )
            self.makers.append(maker)
        self.workers = [_next_worker(maker) for maker in self.makers]
        return self

    def __exit__(self, *details: object) -> None:
        for maker in self.makers:
            maker.kill()
            maker.wait()

    def live_through(self, events: int) -> None:
        """Kill one after another, all along the way, each while all are in the middle of one."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.kills < KILLS and time.monotonic() < until:
            if _handled() < events * self.kills // (KILLS + 1):
                time.sleep(PAUSE_SECONDS)
                continue
            if not _are_busy_soon():
                return  # too few are killed then, which is told
            place = self.kills % WORKERS
            os.kill(self.workers[place], signal.SIGKILL)
            self.workers[place] = _next_worker(self.makers[place])
            self.kills += 1

    def finish(self) -> None:
        """Wait until nothing waits any more."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and _pending():
            let_put_off_ones_come()
            time.sleep(0.2)


def let_put_off_ones_come() -> None:
    """Let what was put off be due, once nothing else is: an attempt is not used up for nothing."""
    waiting = WebhookEvent.objects.filter(status="pending")
    if not waiting.filter(due_at__lte=database_now()).exists():
        waiting.update(due_at=database_now())


def _next_worker(maker: "subprocess.Popen[str]") -> int:
    assert maker.stdout is not None
    return int(maker.stdout.readline())


def _handled() -> int:
    return WebhookEvent.objects.filter(status="processed").count()


def _pending() -> bool:
    return WebhookEvent.objects.filter(status="pending").exists()


def _are_busy_soon() -> bool:
    """Wait until each worker has an event."""
    claimed = WebhookEvent.objects.filter(status="pending", claim__isnull=False)
    until = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < until:
        if claimed.filter(claimed_until__gt=database_now()).count() >= WORKERS:
            return True
        time.sleep(BLINK_SECONDS)
    return False
