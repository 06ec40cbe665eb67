"""Idempotency keys: the same answer for the same key, for 24 hours."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from simulator.core.errors import StripeError, invalid

DAY = 86_400
HOUR = 3_600
MAX_LENGTH = 255


@dataclass
class Answer:
    """What was answered to the first request with a key; status 0 while it still runs."""

    fingerprint: str
    created: int
    status: int = 0
    body: bytes = b""
    request: str = ""


class Keys:
    """All keys, each for one secret key of the account."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._purged = now()
        self.answers: dict[tuple[str, str], Answer] = {}

    def begin(self, owner: str, key: str, method: str, path: str, form: str) -> Answer | None:
        """
        Reserve a key for a request; return the answer if there was one before.

        :raises StripeError: if the key belongs to another request, or to one that still runs.
        """
        if len(key) > MAX_LENGTH:
            raise invalid(f"Idempotency-Key must be at most {MAX_LENGTH} characters.")
        fingerprint = hashlib.sha256(f"{method} {path}?{form}".encode()).hexdigest()
        with self._lock:
            answer = self.answers.get((owner, key))
            if answer is None or answer.created + DAY < self._now():
                self.answers[owner, key] = Answer(fingerprint, self._now())
                return None
            if answer.fingerprint != fingerprint:
                raise _other_parameters(key)
            if answer.status == 0:
                raise _in_use(key)
            return answer

    def keep(self, owner: str, key: str, status: int, body: bytes, request: str) -> None:
        """Keep the answer for whoever asks again."""
        with self._lock:
            if (answer := self.answers.get((owner, key))) is not None:
                answer.status, answer.body, answer.request = status, body, request

    def release(self, owner: str, key: str) -> None:
        """Forget a key whose request never began to execute."""
        with self._lock:
            self.answers.pop((owner, key), None)

    def clear(self) -> None:
        """Forget all keys."""
        with self._lock:
            self.answers.clear()

    def may_be_purged(self) -> bool:
        """Say whether it is worth looking for keys that are too old."""
        return self._now() > self._purged + HOUR

    def purge(self) -> None:
        """Forget the keys that are older than a day."""
        with self._lock:
            self._purged = self._now()
            limit = self._purged - DAY
            self.answers = {k: a for k, a in self.answers.items() if a.created >= limit}


def _other_parameters(key: str) -> StripeError:
    return StripeError(
        400,
        "idempotency_error",
        "Keys for idempotent requests can only be used with the same parameters they were "
        f"first used with. Try using a key other than '{key}' if you meant to execute a "
        "different request.",
    )


def _in_use(key: str) -> StripeError:
    return StripeError(
        409,
        "idempotency_error",
        "There is currently another in-progress request using this Idempotent Key (that "
        "probably means you submitted twice, and the other request is still going through): "
        f"{key}. Please try again later.",
        code="idempotency_key_in_use",
    )
