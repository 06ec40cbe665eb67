"""
Webhooks: signed, sent to every endpoint that wants them, and tried again until answered.

One thread keeps the plan of attempts in order of time; a few others send.
"""

import hashlib
import heapq
import hmac
import itertools
import random
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simulator.core.http import encode
from simulator.core.values import Object
from simulator.core.views import render

if TYPE_CHECKING:
    from simulator.core.world import World

# Stripe tries for three days in live mode and three times over hours in test mode; a
# developer waits for seconds. The last of these is the last attempt.
BACK_OFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
TIMEOUT_SECONDS = 20
SENDERS = 8
KEPT = 2000


class Deliveries:
    """All attempts to tell somebody of an event."""

    def __init__(self, world: "World", hosts: tuple[str, ...]) -> None:
        self._world = world
        self.hosts = hosts
        self._plan: list[tuple[float, int, str, str, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._underway = 0
        self._held: list[tuple[str, str, int]] = []
        self._ended = False
        self.back_off = BACK_OFF_SECONDS
        self.log: deque[Object] = deque(maxlen=KEPT)
        self.counts = {"sent": 0, "succeeded": 0, "failed": 0, "given_up": 0}
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="simulator-sender")
        self._planner = threading.Thread(target=self._run, name="simulator-planner", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._planner.start()

    def stop(self) -> None:
        """Send no more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._senders.shutdown(wait=False, cancel_futures=True)

    def clear(self) -> None:
        """Forget what was to be sent and what was sent."""
        with self._changed:
            self._plan.clear()
            self._held.clear()
            self.log.clear()
            self.counts = dict.fromkeys(self.counts, 0)
            self._changed.notify_all()

    def enqueue(self, event: Object) -> None:
        """Plan the first attempt at every endpoint that wants this event."""
        for endpoint in self._world.endpoints_for(event["type"]):
            self._first(event["id"], event["type"], endpoint["id"])

    def go_on(self, event: Object) -> None:
        """After a restart, tell those who had not answered and were not given up."""
        for endpoint_id, is_awaited in event.get("_unheard", {}).items():
            if is_awaited:
                self._at(0.0, event["id"], endpoint_id, 0)

    def resend(self, event_id: str, endpoint_id: str) -> None:
        """Send an event once more, chaos or not."""
        self._at(0.0, event_id, endpoint_id, 0)

    def _first(self, event_id: str, event_type: str, endpoint_id: str) -> None:
        hits = self._world.chaos.for_delivery(event_type)
        if "lose" in hits:
            self._record(event_id, event_type, endpoint_id, 0, "lost by chaos", is_sent=False)
            self._note(event_id, endpoint_id, is_heard=False)
            return
        attempt = -1 if "drop" in hits else 0
        delay = hits["delay"].seconds if "delay" in hits else 0.0
        copies = 1 + (hits["duplicate"].copies if "duplicate" in hits else 0)
        for _ in range(copies):
            if "shuffle" in hits:
                self._hold(event_id, endpoint_id, attempt, hits["shuffle"].batch)
            else:
                self._at(delay, event_id, endpoint_id, attempt)

    def _hold(self, event_id: str, endpoint_id: str, attempt: int, batch: int) -> None:
        """Keep deliveries back until there are enough to change their order."""
        with self._changed:
            self._held.append((event_id, endpoint_id, attempt))
            if len(self._held) < batch:
                return
        self.release_held()

    def release_held(self) -> None:
        """Send what is held back, in any order."""
        with self._changed:
            held, self._held = self._held, []
        random.shuffle(held)
        for event_id, endpoint_id, attempt in held:
            self._at(0.0, event_id, endpoint_id, attempt)

    def _at(self, delay: float, event_id: str, endpoint_id: str, attempt: int) -> None:
        with self._changed:
            when = time.monotonic() + delay
            item = (when, next(self._numbers), event_id, endpoint_id, attempt)
            heapq.heappush(self._plan, item)
            self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until nothing is due and nothing is under way; say whether that came to be."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._underway or (self._plan and self._plan[0][0] <= time.monotonic()):
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    return False
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._ended and not self._is_due():
                    self._changed.wait(self._pause())
                if self._ended:
                    return
                _, _, event_id, endpoint_id, attempt = heapq.heappop(self._plan)
                self._underway += 1
            self._senders.submit(self._attempt, event_id, endpoint_id, attempt)

    def _is_due(self) -> bool:
        return bool(self._plan) and self._plan[0][0] <= time.monotonic()

    def _pause(self) -> float | None:
        return max(0.001, self._plan[0][0] - time.monotonic()) if self._plan else None

    def _attempt(self, event_id: str, endpoint_id: str, attempt: int) -> None:
        try:
            self._send(event_id, endpoint_id, attempt)
        finally:
            with self._changed:
                self._underway -= 1
                self._changed.notify_all()

    def _send(self, event_id: str, endpoint_id: str, attempt: int) -> None:
        world = self._world
        with world.lock:
            event = world.store.find("event", event_id)
            endpoint = world.store.find("webhook_endpoint", endpoint_id)
            if event is None or endpoint is None or endpoint["status"] != "enabled":
                return
            body = encode(render(world, event))
            type_, url, secrets_ = event["type"], endpoint["url"], self._secrets(endpoint)
        if attempt < 0:  # chaos has dropped it
            outcome: int | str = "dropped by chaos"
        else:
            outcome = self._post(url, body, secrets_)
        if world.store.find("event", event_id) is not event:
            return  # everything was forgotten meanwhile, and this with it
        is_sent = attempt >= 0
        self._record(event_id, type_, endpoint_id, max(attempt, 0), outcome, is_sent=is_sent)
        self._conclude(event_id, endpoint_id, max(attempt, 0), outcome)

    def _conclude(self, event_id: str, endpoint_id: str, attempt: int, outcome: int | str) -> None:
        if isinstance(outcome, int) and 200 <= outcome < 300:
            self._note(event_id, endpoint_id, is_heard=True)
        elif attempt < len(self.back_off):
            self._at(self.back_off[attempt], event_id, endpoint_id, attempt + 1)
        else:
            self.counts["given_up"] += 1
            self._note(event_id, endpoint_id, is_heard=False)

    def _note(self, event_id: str, endpoint_id: str, *, is_heard: bool) -> None:
        """Note in an event that an endpoint has answered, or is not told any more."""
        with self._world.lock:
            event = self._world.store.find("event", event_id)
            unheard = {} if event is None else event.get("_unheard", {})
            if event is None or endpoint_id not in unheard:
                return
            unheard[endpoint_id] = False
            if is_heard:
                del unheard[endpoint_id]
                event["pending_webhooks"] = len(unheard)
            self._world.changes += 1

    def _secrets(self, endpoint: Object) -> list[str]:
        """Return the secret, and the one before it while that is still good."""
        old = endpoint.get("_old_secret")
        is_good = old is not None and endpoint["_old_secret_until"] > self._world.now()
        return [endpoint["_secret"], *([old] if is_good else [])]

    def _post(self, url: str, body: bytes, secrets_: list[str]) -> int | str:
        address = urlsplit(url)
        if address.hostname not in self.hosts:
            return f"not sent: {address.hostname} is not this machine (--deliver-to allows it)"
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
        path = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, secrets_, int(time.time())),
        }
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        except (OSError, HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    def _record(
        self,
        event_id: str,
        event_type: str,
        endpoint_id: str,
        attempt: int,
        outcome: int | str,
        *,
        is_sent: bool,
    ) -> None:
        is_success = isinstance(outcome, int) and 200 <= outcome < 300
        line = {
            "at": self._world.now(),
            "event": event_id,
            "type": event_type,
            "endpoint": endpoint_id,
            "attempt": attempt,
            "outcome": outcome,
            "succeeded": is_success,
        }
        with self._changed:
            self.log.append(line)
            self.counts["sent"] += is_sent
            self.counts["succeeded" if is_success else "failed"] += 1


def signature(body: bytes, secrets_: list[str], at: int) -> str:
    """Return the header `Stripe-Signature` with one signature for each secret."""
    signed = b"%d." % at + body
    marks = [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets_]
    return ",".join([f"t={at}", *(f"v1={mark}" for mark in marks)])
