"""`make figures-5`: what Stripe tells, in any order and however often, has its effect once."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from apps.billing.models import Payment, WebhookEvent
from apps.billing.services import inbox
from apps.core import ids, queue
from apps.core.clock import database_now
from apps.core.invariants import verify
from apps.credits.models import Lot
from figures.billing_shop import GeneratedShop
from figures.lines import SEED, Report, scaled
from figures.reloads import auto_reload_races
from figures.stripe_served import Shop, all_events, served
from tests.billing.stripe import SECRET, deliver, handle_everything
from tests.database import copied_database, migrated_database

EVENTS = 10_000
TIMES, DELIVERERS, WORKERS, KILLS = 3, 4, 2, 20
PATIENCE_SECONDS = 600
Event = dict[str, Any]

STATE = """
    SELECT 'payment', id::text, concat_ws('|', status, refunded, clawed_back,
           disputed_at IS NOT NULL) FROM billing_payment
    UNION ALL
    SELECT 'lot', wallet_id::text || origin, concat_ws('|', granted, remaining,
           frozen_at IS NOT NULL) FROM credits_lot
    UNION ALL
    SELECT 'wallet', id::text, balance::text FROM credits_wallet
     ORDER BY 1, 2
"""


def main() -> None:
    """Print every figure of billing."""
    report = Report()
    with migrated_database(), served(is_checked=False) as shop, configured(shop):
        the_shop(report, shop)
        with copied_database():
            auto_reload_races(report, shop)
    report.end()


@contextmanager
def configured(shop: Shop) -> Iterator[None]:
    """Let billing speak to the stand-in, and let nobody ring: the workers look by themselves."""
    values = {
        "STRIPE_SECRET_KEY": "sk_test_" + "a" * 24,
        "STRIPE_API_URL": shop.url,
        "STRIPE_WEBHOOK_SECRETS": [SECRET],
        "ALLOWED_HOSTS": ["testserver"],
    }
    with mock.patch.multiple(settings, **values), mock.patch.object(queue, "_ring"):
        yield


def the_shop(report: Report, shop: Shop) -> None:
    """Generate a shop once, and tell its events in order, in disorder, and without keys."""
    generated = GeneratedShop(shop, random.Random(SEED))
    generated.open()
    generated.live(scaled(EVENTS))
    events = [json.loads(str(event)) for event in all_events(shop)]
    with copied_database():
        for event in events:
            inbox.receive(event, source="webhook")
        handle_everything()
        in_order = state()
    with report.figure("events_in_disorder", asked=scaled(EVENTS)) as figure:
        with copied_database() as name:
            kills = in_disorder(events, name)
            figure.examined = WebhookEvent.objects.count()
            figure.failures = differences(in_order, state()) + unsettled() + broken()
            figure.failures += abs(money_here() - money_at_stripe(shop)) + (kills < KILLS)
            print(f"    deliveries={len(events) * TIMES} kills={kills} state={digest(in_order)}")
        with copied_database(), without_natural_keys():
            for event in events[: len(events) // 4]:
                inbox.receive(event, source="webhook")
            handle_everything()
            forget_the_end()
            handle_everything()
            doubled = Lot.objects.filter(kind=Lot.Kind.PURCHASE).count() - settled()
            figure.control = "red" if doubled else "green"
            print(f"    granted twice without natural keys: {doubled}")


def in_disorder(events: Sequence[Event], database: str) -> int:
    """Deliver each event three times, four at once, while workers are killed; return the kills."""
    deliveries = list(events) * TIMES
    random.Random(SEED).shuffle(deliveries)
    with Workers(database) as workers:
        with ThreadPoolExecutor(DELIVERERS) as pool:
            done = pool.map(_deliver, [deliveries[n::DELIVERERS] for n in range(DELIVERERS)])
            workers.live_while(lambda: WebhookEvent.objects.filter(status="pending").exists())
            assert sum(done) == len(deliveries), "every delivery is answered with 200"
        workers.finish()
        return workers.kills


def _deliver(deliveries: Sequence[Event]) -> int:
    try:
        return sum(deliver(event).status_code == 200 for event in deliveries)
    finally:
        connection.close()


class Workers:
    """Processes that handle events, of which one is killed now and then."""

    def __init__(self, database: str) -> None:
        address = urlsplit(os.environ["DATABASE_URL"])
        self.environment = {
            **os.environ,
            "DATABASE_URL": address._replace(path=f"/{database}").geturl(),
            "FIGURE_STRIPE_API_URL": settings.STRIPE_API_URL,
            "LOG_LEVEL": "CRITICAL",
        }
        self.kills = 0
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Workers":
        self.processes = [self._start() for _ in range(WORKERS)]
        return self

    def __exit__(self, *details: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "figures.billing_worker"]
        return subprocess.Popen(command, env=self.environment)

    def live_while(self, is_busy: Any) -> None:
        """Kill one after another, with time between to begin to work, until there were enough."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.kills < KILLS and time.monotonic() < until:
            before = WebhookEvent.objects.filter(status="processed").count()
            while is_busy() and time.monotonic() < until:
                time.sleep(0.1)
                if WebhookEvent.objects.filter(status="processed").count() > before + 20:
                    break
            victim = self.processes.pop(0)
            os.kill(victim.pid, signal.SIGKILL)
            victim.wait()
            self.processes.append(self._start())
            self.kills += 1

    def finish(self) -> None:
        """Wait until nothing waits any more."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if not WebhookEvent.objects.filter(status="pending").exists():
                return
            # What was put off because Stripe was busy, or a worker died, need not wait here.
            WebhookEvent.objects.filter(status="pending", claim=None).update(due_at=database_now())
            time.sleep(0.5)


@contextmanager
def without_natural_keys() -> Iterator[None]:
    """Let what is granted for a payment have a new cause each time."""
    with mock.patch.object(Payment, "reference", property(lambda payment: f"x:{ids.new_id()}")):
        yield


def forget_the_end() -> None:
    """Let each event and payment be as if its effect were still to come; its lot is there."""
    WebhookEvent.objects.filter(status="processed").update(status="pending", processed_at=None)
    Payment.objects.filter(status="succeeded").update(status="created", settled_at=None)


def state() -> dict[tuple[str, str], str]:
    """Return what money and credits have come to."""
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        return {(kind, key): value for kind, key, value in cursor.fetchall()}


def digest(found: dict[tuple[str, str], str]) -> str:
    """Return a short hash of a state."""
    text = json.dumps(sorted((*key, value) for key, value in found.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(one: dict[tuple[str, str], str], other: dict[tuple[str, str], str]) -> int:
    """Count what is not the same in both."""
    return sum(one.get(key) != other.get(key) for key in set(one) | set(other))


def settled() -> int:
    """Return how many payments succeeded."""
    return Payment.objects.filter(status=Payment.Status.SUCCEEDED).count()


def unsettled() -> int:
    """Count events that are dead, or wait for ever."""
    return WebhookEvent.objects.filter(status__in=["dead", "pending"]).count()


def broken() -> int:
    """Count what the invariants find."""
    return sum(finding.failures for finding in verify())


def money_here() -> int:
    """Return what was paid and not given back, in minor units, by our own rows."""
    paid = Payment.objects.filter(status="succeeded").values_list("amount", "tax", "refunded")
    return sum(amount + tax - refunded for amount, tax, refunded in paid)


def money_at_stripe(shop: Shop) -> int:
    """Return the same by Stripe's charges."""
    charges = shop.v1.charges.list({"limit": 100}).auto_paging_iter()
    return sum(one.amount_captured - one.amount_refunded for one in charges if one.paid)


if __name__ == "__main__":
    main()
