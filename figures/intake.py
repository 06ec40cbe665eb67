"""Webhooks at 100 a second: all are answered, whatever is away, and all have their effect."""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from apps.billing.models import WebhookEvent
from figures.billing_shop import GeneratedShop
from figures.billing_state import State, broken, differences, state, unsettled, wrong_money
from figures.billing_workers import let_put_off_ones_come
from figures.intake_sender import Answer
from figures.lines import SEED, Figure, Report, scaled
from figures.running import OURS, Redis, Running, running
from figures.stripe_served import Shop, all_events
from tests.billing.stripe import SECRET
from tests.database import copied_database

EVENTS = 1000
A_SECOND, TURN = 100, 250  # of deliveries; so many go to one address before the other one's turn
WARM_UP, OF_CONTROL = 60, 100
MOST_SECONDS = 0.2  # the aim for 99 of 100 answers; printed, and told where it is missed
PATIENCE_SECONDS = 900  # until all has its effect after healing
PATH, WARM_UP_TYPE = "/webhooks/stripe/", "figure.warm_up"


@dataclass(frozen=True)
class Trouble:
    """What is away, how it comes back, and what an intake would wait for that must not."""

    name: str
    begin: Callable[[Redis], object] = lambda redis: None
    heal: Callable[[Redis], object] = lambda redis: None
    control: str = ""


def intake(report: Report, shop: Shop) -> None:
    """Deliver the same events while all is well, with Redis away, and with Stripe's API away."""
    generated = GeneratedShop(shop, random.Random(SEED))
    generated.open()
    generated.live(scaled(EVENTS))
    bodies = [str(event) for event in all_events(shop)]
    troubles = (
        Trouble("webhook_intake"),
        Trouble("webhook_intake_without_redis", Redis.stop, Redis.start, "rings_first"),
        Trouble(
            "webhook_intake_without_stripe",
            lambda redis: shop.world.chaos.add({"effect": "reset_before"}),
            lambda redis: shop.world.chaos.clear(),
            "asks_first",
        ),
    )
    expected: State | None = None
    for trouble in troubles:
        with (
            report.figure(trouble.name, asked=scaled(EVENTS)) as figure,
            copied_database() as database,
            tempfile.TemporaryDirectory() as home,
        ):
            make_table()
            with running(database, Path(home), environment()) as (coffer, redis):
                deliver_in(trouble, figure, coffer, redis, bodies)
            figure.failures += unsettled() + broken() + wrong_money(shop)
            expected = expected or state()
            figure.failures += differences(expected, state())


def environment() -> dict[str, str]:
    """Return the settings with which Coffer asks the stand-in for Stripe."""
    return {
        "DEMO": "1",  # elsewhere a stand-in is refused
        "STRIPE_API_URL": settings.STRIPE_API_URL,
        "STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "FIGURE_STRIPE_API_URL": settings.STRIPE_API_URL,
        "FIGURE_STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
    }


def deliver_in(
    trouble: Trouble, figure: Figure, coffer: Running, redis: Redis, bodies: list[str]
) -> None:
    """Deliver all in the trouble, and heal it; write into the figure what came of it."""
    post = partial(send, folder=coffer.home)
    bare, ours = coffer.serve("figures.intake_served:bare"), coffer.serve(OURS) + PATH
    careless = coffer.serve(f"figures.intake_served:{trouble.control}") if trouble.control else ""
    coffer.work()
    post([bare, ours], [warm_up(number) for number in range(WARM_UP)])
    trouble.begin(redis)
    beside, answers = post([bare, ours], bodies)
    if careless:
        (refused,) = post([careless + PATH], bodies[:OF_CONTROL])
        count = not_taken(refused)
        figure.control = "red" if count else "green"
        print(f"    not taken by one that {trouble.control.replace('_', ' ')}: {count}")
    kept = WebhookEvent.objects.exclude(type=WARM_UP_TYPE)
    figure.examined = len(answers)
    figure.failures = not_taken(answers) + not_taken(beside) + len(bodies) - kept.count()
    figure.ratio = f"{part(answers, 0.99) / part(beside, 0.99):.2f}"
    left = kept.filter(status="pending").count()
    print(
        f"    {shown('webhook', answers)}; {shown('bare', beside)}; waiting before healing={left}"
    )
    trouble.heal(redis)
    began = time.monotonic()
    while kept.filter(status="pending").exists() and time.monotonic() < began + PATIENCE_SECONDS:
        let_put_off_ones_come()  # minutes of waiting between two attempts show nothing
        time.sleep(0.5)
    print(f"    all had their effect {time.monotonic() - began:.0f} s after that")


def warm_up(number: int) -> str:
    """Return an event that nothing depends on."""
    about = {"id": f"warm_{number}", "object": "figure"}
    event = {"id": f"evt_warm_{number}", "object": "event", "type": WARM_UP_TYPE, "livemode": False}
    return json.dumps({**event, "created": int(time.time()), "data": {"object": about}})


def make_table() -> None:
    """Make the table of the view that we compare with."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE figures_bare (id uuid PRIMARY KEY, payload text NOT NULL)")


def send(urls: list[str], bodies: list[str], *, folder: Path) -> list[list[Answer]]:
    """Let another process send all bodies to each address; return the answers of each."""
    wanted: dict[str, Any] = {"urls": urls, "bodies": bodies, "secret": SECRET}
    file = folder / "send.json"
    file.write_text(json.dumps({**wanted, "a_second": A_SECOND, "turn": TURN}))
    command = [sys.executable, "-m", "figures.intake_sender", str(file)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answers: list[list[Answer]] = json.loads(done.stdout)
    return answers


def not_taken(answers: list[Answer]) -> int:
    """Count answers that are not 2xx, or were none."""
    refused = Counter(status for _, status in answers if not 200 <= status < 300)
    if refused:
        print(f"    refused, by status (0: no answer): {dict(refused)}")
    return refused.total()


def part(answers: list[Answer], share: float) -> float:
    """Return the seconds within which this share of the answers came."""
    times = sorted(seconds for seconds, _ in answers)
    return times[min(len(times) - 1, int(len(times) * share))]


def shown(name: str, answers: list[Answer]) -> str:
    """Say in milliseconds how quick they were."""
    p50, p99 = part(answers, 0.5) * 1000, part(answers, 0.99) * 1000
    aim = "" if p99 <= MOST_SECONDS * 1000 else f" (above {MOST_SECONDS * 1000:.0f})"
    return f"{name} p50={p50:.0f} ms p99={p99:.0f} ms{aim}"
