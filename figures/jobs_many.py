"""A thousand jobs, of which one area in ten fails, worked on by four processes at once."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet, Sum

from apps.credits.models import CreditTransaction
from apps.jobs.models import Attempt, GenerationArea, GenerationJob
from apps.tenants.models import OutboxEvent
from figures.jobs_runner import BEGUN, FAILED, HELD_MEGAPIXELS, METERED
from figures.jobs_shop import PRICE, Shop, opened, unfinished
from figures.lines import Report, scaled
from figures.running import ROOT, url_of

JOBS, CUSTOMERS, WORKERS = 1000, 20, 4
OF_CONTROL = 40  # jobs
PATIENCE_SECONDS = 900


def many(report: Report) -> None:
    """Print whether all sums are equal; and what happens where areas are taken without a lock."""
    with report.figure("jobs_of_four_workers", asked=scaled(JOBS)) as figure:
        with opened(CUSTOMERS) as shop:
            with workers(shop):
                submit(shop, scaled(JOBS))
                wait_for_the_end()
            figure.examined = GenerationJob.objects.count()
            figure.failures = shop.failures() + unequal_sums(shop) + run_again(shop)
        with opened(1) as shop:
            submit(shop, OF_CONTROL)
            with workers(shop, control="taking_without_a_lock"):
                wait_for_the_end()
            figure.control = "red" if run_again(shop) else "green"
            print(f"    areas run twice where they are taken without a lock: {run_again(shop)}")


def submit(shop: Shop, jobs: int) -> None:
    """Submit so many."""
    for _ in range(jobs):
        shop.submit_any(most_areas=3)


def wait_for_the_end() -> None:
    """Wait until nothing is left; what is left after a while is told."""
    until = time.monotonic() + PATIENCE_SECONDS
    while unfinished() and time.monotonic() < until:
        time.sleep(0.2)


@contextmanager
def workers(shop: Shop, *, control: str = "") -> Iterator[None]:
    """Let four processes work, until the end of the block."""
    environment = {
        **os.environ,
        **shop.environment,
        "DATABASE_URL": url_of(shop.database),
        "FIGURE_CONTROL": control,
    }
    command = [sys.executable, "-m", "figures.jobs_worker"]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE)
        for _ in range(WORKERS)
    ]
    try:
        yield
    finally:
        for process in started:
            process.communicate()  # closes its input


def unequal_sums(shop: Shop) -> int:
    """Count sums that are not equal to the unit, and jobs whose end was not told of just once."""
    done = PRICE * len(shop.runs.done())
    failed = credits_of_failed(shop)
    moved = CreditTransaction.objects.filter(source="job")
    attempts = Attempt.objects.exclude(outcome="open")
    jobs = GenerationJob.objects.aggregate(cost=Sum("cost"), back=Sum("refunded"))
    sums = {
        "kept by the ledger": (-total(moved, "amount"), done),
        "given back by the ledger": (
            total(moved.filter(transaction_type="refunded"), "amount"),
            failed,
        ),
        "kept of attempts": (total(attempts.filter(outcome="completed"), "cost"), done),
        "given back of attempts": (total(attempts, "refunded"), failed),
        "kept of jobs": (jobs["cost"] - jobs["back"], done),
    }
    told = Counter(OutboxEvent.objects.values_list("object_id", "event_type"))
    ends = Counter((job.public_id, f"job.{job.status}") for job in GenerationJob.objects.all())
    print(f"    credits={sums} events={told.total()}")
    return sum(ours != right for ours, right in sums.values()) + len(told - ends) + len(ends - told)


def credits_of_failed(shop: Shop) -> int:
    """Return what the areas cost of which the runner says that they failed: held ones, as held."""
    operations = dict(GenerationArea.objects.values_list("parameters__work", "operation_type"))
    failed = (run.work for run in shop.runs.all() if run.end == FAILED)
    return sum(PRICE * (HELD_MEGAPIXELS if operations[work] == METERED else 1) for work in failed)


def total(rows: QuerySet[Any], column: str) -> int:
    """Return the sum of a column, 0 where there are no rows."""
    return rows.aggregate(sum=Sum(column))["sum"] or 0


def run_again(shop: Shop) -> int:
    """Count runs of what was run before: nobody died here, so there is no reason for one."""
    begun = Counter(run.work for run in shop.runs.all() if run.end == BEGUN)
    return begun.total() - len(begun)
