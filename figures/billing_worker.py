"""A worker that handles Stripe's events until somebody kills it."""

import os
import time
from datetime import timedelta

import django
from django.conf import settings

PAUSE_SECONDS = 0.02
LEASE = timedelta(seconds=2)  # so that what a killed worker had is soon another's


def main() -> None:
    """Handle what is due, for ever; stop when whoever started this is gone."""
    django.setup()
    from apps.billing.services import inbox  # noqa: PLC0415  needs the settings
    from apps.core import queue, scope  # noqa: PLC0415

    settings.STRIPE_API_URL = os.environ["FIGURE_STRIPE_API_URL"]
    settings.STRIPE_SECRET_KEY = "sk_test_" + "a" * 24
    scope.whole_process("figure")
    queue._ring = lambda *ignored: None  # type: ignore[assignment]  # rows are the queue
    inbox.LEASE = LEASE
    parent = os.getppid()
    while os.getppid() == parent:
        subjects = inbox.due_subjects()
        for subject in subjects:
            inbox.process(subject)
        if not subjects:
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
