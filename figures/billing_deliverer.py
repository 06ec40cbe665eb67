"""Deliver Stripe's events as Stripe does: signed, again and again, in any order, some at once."""

import json
import random
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client

from figures.billing_worker import be_quiet
from tests.billing.stripe import deliver


def main(file: str, times: int, deliverers: int, seed: int) -> None:
    """Print how many deliveries were answered with 200."""
    be_quiet()
    deliveries = json.loads(Path(file).read_text()) * times
    random.Random(seed).shuffle(deliveries)
    with ThreadPoolExecutor(deliverers) as pool:
        done = pool.map(_deliver, [deliveries[n::deliverers] for n in range(deliverers)])
        sys.stdout.write(f"{sum(done)}\n")


def _deliver(deliveries: Sequence[Any]) -> int:
    client = Client()
    try:
        return sum(deliver(event, by=client).status_code == 200 for event in deliveries)
    finally:
        connection.close()


if __name__ == "__main__":
    main(sys.argv[1], *(int(number) for number in sys.argv[2:]))
