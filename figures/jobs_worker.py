"""
Workers of the jobs' figures, in processes of their own.

`python -m figures.jobs_worker` takes areas until its input ends; `celery -A figures.jobs_worker`
is Coffer's own worker. Both count what they run, and work without a guard if FIGURE_CONTROL
names one.
"""

import logging
import os
import select
import sys
from contextlib import ExitStack

from django.conf import settings

from apps.core import queue
from apps.jobs.services import running
from config.celery import app  # noqa: F401  Celery looks for it here
from figures.jobs_controls import CONTROLS
from figures.jobs_runner import register

PAUSE_SECONDS = 0.02
without = ExitStack()  # the guard that is taken out, for as long as this process lives


def join() -> None:
    """Work for the shop that the environment names, and log nothing."""
    logging.disable(logging.CRITICAL)
    settings.MEDIA_ROOT = os.environ["FIGURE_MEDIA"]
    prefix = os.environ["FIGURE_BROKER_PREFIX"]
    settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] = prefix
    register(os.environ["FIGURE_RUNS"])
    if control := os.environ.get("FIGURE_CONTROL"):
        without.enter_context(CONTROLS[control]())


def main() -> None:
    """Take whatever waits, until whoever started this closes the input or is gone."""
    queue._ring = lambda *ignored: None  # type: ignore[assignment]  # rows are the queue
    while not select.select([sys.stdin], [], [], 0)[0]:
        if not running.work():
            select.select([sys.stdin], [], [], PAUSE_SECONDS)


join()

if __name__ == "__main__":
    main()
