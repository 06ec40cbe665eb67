"""
Moving windows in Redis, counted by the `limits` library's storage, and what to do without Redis.

A moving window keeps the moment of each request, so it is exact for a window of any length: at
no instant have more requests than the limit been let through in the last so many seconds. Fixed
windows let through twice the limit around their edge, and sliding counters only estimate. What
it costs is memory: about 20 bytes for each request within the window, at most `limit` of them.

The library counts one window in each call, by the clock of whoever asks. The script beside this
module does the same for all windows of a request in one trip, by the clock of the server, and
counts in all of them or in none: a request that one policy refuses takes nothing of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import cast

import structlog
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from apps.core.ratelimits.policies import Hit, Policy

logger = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 0.1  # for connecting, and for an answer
AWAY_SECONDS = 5.0  # Redis is not asked again for so long after it failed
TELL_SECONDS = 60.0  # between two lines in the log that say so
SCRIPT = Path(__file__).with_name("acquire.lua").read_bytes()


class RedisAway(Exception):
    """Redis could not be asked; whoever asks decides what that means."""


@dataclass(frozen=True)
class Window:
    """What a policy says of a request."""

    policy: Policy
    used: int  # requests in the window; with this one, if it was counted
    seconds_left: float  # until the oldest of them leaves it; the whole window if there is none
    is_allowed: bool

    @property
    def remaining(self) -> int:
        """How many requests more would be let through now."""
        return max(0, self.policy.limit - self.used)


class Windows(RedisStorage):
    """The library's storage, with a script that counts in several windows at once."""

    def initialize_storage(self, _uri: str) -> None:
        """Register the script beside those of the library."""
        super().initialize_storage(_uri)
        self.lua_acquire = self.get_connection().register_script(SCRIPT)

    def acquire(
        self, hits: Sequence[Hit], *, amount: int = 1, at: float | None = None
    ) -> list[Window]:
        """
        Count a request for each hit, if all of them allow it; with an amount of 0 only look.

        `at` is the moment as Unix time, for tests; the server's clock without it.
        """
        keys = [self.prefixed_key(key_of(hit)) for hit in hits]
        terms = [term for hit in hits for term in (hit.policy.limit, hit.policy.seconds)]
        moment = "" if at is None else repr(at)
        is_counted, *said = cast(list[int], self.lua_acquire(keys, [moment, amount, *terms]))
        return [
            Window(
                policy=hit.policy,
                used=used,
                seconds_left=milliseconds / 1000,
                is_allowed=bool(is_counted) or used + amount <= hit.policy.limit,
            )
            for hit, used, milliseconds in zip(hits, said[::2], said[1::2], strict=True)
        ]


def key_of(hit: Hit) -> str:
    """Return where the library keeps a window; a policy with other terms begins anew."""
    item = RateLimitItemPerSecond(hit.policy.limit, hit.policy.seconds, hit.policy.code)
    return item.key_for(hit.name)


class Store:
    """The windows at one address, and whether anybody answers there."""

    def __init__(self, url: str, prefix: str) -> None:
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self.windows = Windows(url, connection_pool=pool, key_prefix=f"{prefix}:rate")
        self._away_until = 0.0  # of the monotonic clock
        self._tell_from = 0.0

    def acquire(self, hits: Sequence[Hit], *, amount: int = 1) -> list[Window]:
        """
        Count a request for each hit, if all of them allow it; with an amount of 0 only look.

        :raises RedisAway: if Redis does not answer, at once while it did not a moment ago.
        """
        if monotonic() < self._away_until:
            raise RedisAway
        try:
            return self.windows.acquire(hits, amount=amount)
        except RedisError as error:
            self._rest(error)
            raise RedisAway from error

    def _rest(self, error: RedisError) -> None:
        """Spare the next requests the wait, and say so in the log once a minute."""
        now = monotonic()
        self._away_until = now + AWAY_SECONDS
        if now >= self._tell_from:
            self._tell_from = now + TELL_SECONDS
            logger.error("rate_limits_without_redis", error=f"{type(error).__name__}: {error}")


def store() -> Store:
    """Return the windows of this instance."""
    return _store_at(settings.REDIS_URL, settings.CACHE_PREFIX)


@lru_cache(maxsize=4)
def _store_at(url: str, prefix: str) -> Store:
    return Store(url, prefix)
