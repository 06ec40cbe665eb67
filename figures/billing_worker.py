"""
A worker that handles Stripe's events until somebody kills it, and then begins anew.

The process that is started only makes workers: it tells the id of each on a line of its own,
and makes the next one when that one has died. So a kill costs no time of starting up.
"""

import logging
import os
import sys
import time
from datetime import timedelta

from django.conf import settings

from apps.billing.services import inbox
from apps.core import queue

PAUSE_SECONDS = 0.02
LEASE = timedelta(seconds=2)  # so that what a killed worker had is soon another's


def main() -> None:
    """Have a worker at any time, until whoever started this is gone."""
    be_quiet()
    parent = os.getppid()
    while os.getppid() == parent:
        worker = os.fork()
        if not worker:
            work()
        sys.stdout.write(f"{worker}\n")
        sys.stdout.flush()
        os.waitpid(worker, 0)


def be_quiet() -> None:
    """Ask the stand-in for Stripe, let nobody ring, and log nothing: rows are the queue."""
    settings.STRIPE_API_URL = os.environ["FIGURE_STRIPE_API_URL"]
    settings.STRIPE_SECRET_KEY = os.environ["FIGURE_STRIPE_SECRET_KEY"]
    settings.STRIPE_WEBHOOK_SECRETS = [os.environ["FIGURE_STRIPE_WEBHOOK_SECRET"]]
    queue._ring = lambda *ignored: None  # type: ignore[assignment]
    logging.disable(logging.CRITICAL)


def work() -> None:
    """Handle what is due, for ever; stop when whoever made this worker is gone."""
    inbox.LEASE = LEASE
    parent = os.getppid()
    while os.getppid() == parent:
        subjects = inbox.due_subjects()
        for subject in subjects:
            inbox.process(subject)
        if not subjects:
            time.sleep(PAUSE_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main()
