"""
Send deliveries at a given pace, whether or not those before were answered.

What is measured begins when a delivery was due to be sent, so that a server that is late pays
for all who wait behind it. Addresses take turns, so that what else the machine does meets both.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.billing.stripe import signature

SENDERS = 100  # connections at once, at most
TIMEOUT_SECONDS = 30
Answer = tuple[float, int]  # seconds, and the status; 0 where there was none


def main(file: str) -> None:
    """Print what each address answered."""
    wanted = json.loads(Path(file).read_text())
    bodies, turn = wanted["bodies"], wanted["turn"]
    found: dict[str, list[Answer]] = {url: [] for url in wanted["urls"]}
    with ThreadPoolExecutor(SENDERS) as pool:
        for first in range(0, len(bodies), turn):
            for url in found:
                part = bodies[first : first + turn]
                found[url] += send(pool, url, part, wanted["a_second"], wanted["secret"])
    sys.stdout.write(json.dumps(list(found.values())))


def send(
    pool: ThreadPoolExecutor, url: str, bodies: list[str], a_second: int, secret: str
) -> list[Answer]:
    """Send these one after another at their moments, each over a connection of its own."""
    began = time.perf_counter()
    sent = []
    for number, body in enumerate(bodies):
        due = began + number / a_second
        time.sleep(max(0.0, due - time.perf_counter()))
        sent.append(pool.submit(partial(post, url, body, secret, due)))
    return [one.result() for one in sent]


def post(url: str, body: str, secret: str, due: float) -> Answer:
    """Send one, signed now; return how long after its moment it was answered, and how."""
    parts = urlsplit(url)
    headers: dict[str, Any] = {
        "Content-Type": "application/json",
        "Stripe-Signature": signature(body, secret),
    }
    connection = HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, HTTPException):
        status = 0
    finally:
        connection.close()
    return time.perf_counter() - due, status


if __name__ == "__main__":
    main(sys.argv[1])
