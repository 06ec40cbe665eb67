"""May this request pass: asked once for each, before anything else is done for it."""

from collections.abc import Collection

from django.conf import settings

from apps.core.ratelimits import counters
from apps.core.ratelimits.policies import MONEY, Caller, Hit, hits_of
from apps.core.ratelimits.windows import RedisAway, Window, store


def count(caller: Caller, requests: Collection[str]) -> Window | None:
    """
    Count a request, and return what its tightest policy says; None where nothing limits it.

    It is counted by every policy that applies or, where one of them refuses, by none. Without
    Redis everything passes except what moves money, which PostgreSQL counts then.
    """
    if not settings.RATE_LIMITS:
        return None
    hits = hits_of(caller, requests)
    if not hits:
        return None
    try:
        windows = store().acquire(hits)
    except RedisAway:
        if MONEY not in requests:
            return None
        windows = counters.acquire(hits)
    return tightest(windows)


def tightest(windows: list[Window]) -> Window:
    """Return what refuses for the longest time, or else what would refuse first."""
    refusing = [window for window in windows if not window.is_allowed]
    if refusing:
        return max(refusing, key=lambda window: window.seconds_left)
    return min(windows, key=lambda window: (window.remaining, -window.seconds_left))


def look(hits: list[Hit]) -> tuple[list[Window], bool]:
    """Return what is counted now, and whether Redis said so; PostgreSQL did otherwise."""
    try:
        return store().acquire(hits, amount=0), True
    except RedisAway:
        return counters.look(hits), False
