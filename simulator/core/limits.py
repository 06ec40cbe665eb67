"""Rate limits: so many requests in any one second, as Stripe has them."""

import threading
from collections import deque
from time import monotonic

from simulator.core.errors import StripeError


def exceeded() -> StripeError:
    """Return the 429."""
    return StripeError(
        429,
        "invalid_request_error",
        "Request rate limit exceeded. Learn more about rate limits here "
        "https://stripe.com/docs/rate-limits.",
        code="rate_limit",
    )


class RateLimit:
    """Counts requests; without a number there is no limit."""

    def __init__(self, per_second: int | None = None) -> None:
        self.per_second = per_second
        self._lock = threading.Lock()
        self._times: deque[float] = deque()

    def count(self) -> None:
        """
        Count a request.

        :raises StripeError: if there were too many in the last second.
        """
        if self.per_second is None:
            return
        now = monotonic()
        with self._lock:
            while self._times and self._times[0] <= now - 1:
                self._times.popleft()
            if len(self._times) >= self.per_second:
                raise exceeded()
            self._times.append(now)
