"""
Requests in two steps: a row of ours is written once for a key, and then Stripe is asked.

The network cannot be asked in the transaction in which a key's answer is kept. So what is
kept is which row was written, and whoever repeats the request asks about that same row again,
with its id as the key.
"""

import time
from collections.abc import Callable
from uuid import UUID

from apps.core import idempotency
from apps.core.db import outside_transaction
from apps.core.errors import IdempotencyInProgress
from apps.core.idempotency import Answer
from apps.core.models import Row

TRIES = 20  # while a twin writes its row, which takes milliseconds
PAUSE = 0.1  # seconds


@outside_transaction
def write_once(*, scope: str, key: str, digest: bytes, write: Callable[[], Row]) -> UUID:
    """
    Return the id of the row that was written for this key, now or before.

    `write` runs in a transaction. A second click waits for the first one's row, because the
    page that a browser shows is the answer to the last click.

    :raises IdempotencyKeyReused: if the key belongs to another request.
    :raises IdempotencyInProgress: if the first one takes unusually long.
    """
    for attempt in range(TRIES):
        try:
            answer = idempotency.run_once(
                scope=scope,
                key=key,
                digest=digest,
                effect=lambda: Answer(201, {"row": str(write().pk)}),
            )
            return UUID(answer.body["row"])
        except IdempotencyInProgress:
            if attempt == TRIES - 1:
                raise
        time.sleep(PAUSE)
    raise AssertionError("the last try returned or raised")
