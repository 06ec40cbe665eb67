"""Counters in PostgreSQL: windows of any length, all policies or none, and exactly N at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.core.models import RateLimitCount
from apps.core.ratelimits import counters
from apps.core.tasks import prune_idempotency_keys
from tests.ratelimits.limiting import hit

DAY = datetime(2026, 11, 21, tzinfo=UTC)  # windows begin at multiples of their length since 1970


def passes(*hits, at=None) -> bool:
    return all(window.is_allowed for window in counters.acquire(hits, at=at))


@pytest.mark.django_db
class TestACounter:
    @pytest.mark.parametrize("seconds", [1, 60, 90, 3600, 86_400, 30 * 86_400])
    def test_has_windows_as_long_as_they_say(self, seconds):
        one = hit(limit=2, seconds=seconds)
        begin = datetime.fromtimestamp(int(DAY.timestamp()) // seconds * seconds, UTC)
        last = begin + timedelta(seconds=seconds, microseconds=-1)
        assert [passes(one, at=begin), passes(one, at=last), passes(one, at=last)] == [
            True,
            True,
            False,
        ]

        assert passes(one, at=begin + timedelta(seconds=seconds))

    def test_tells_what_is_left_and_until_when(self):
        one = hit(limit=2, seconds=3600)
        (first,) = counters.acquire([one], at=DAY + timedelta(minutes=15))
        assert (first.used, first.remaining, first.seconds_left) == (1, 1, 2700)

        counters.acquire([one], at=DAY + timedelta(minutes=16))
        (refused,) = counters.acquire([one], at=DAY + timedelta(minutes=20))
        assert (refused.is_allowed, refused.remaining, refused.seconds_left) == (False, 0, 2400)
        (seen,) = counters.look([one], at=DAY + timedelta(minutes=20))
        assert (seen.used, RateLimitCount.objects.get().used) == (2, 2)

    def test_is_charged_by_no_policy_if_one_refuses(self):
        wide, narrow = hit(code="test-wide", limit=9), hit(code="test-narrow", limit=1)
        assert passes(wide, narrow, at=DAY)
        assert not passes(wide, narrow, at=DAY)

        assert counters.look([wide], at=DAY)[0].used == 1

    def test_follows_a_limit_that_is_raised(self):
        assert passes(hit(limit=1), at=DAY)
        assert not passes(hit(limit=1), at=DAY)
        assert passes(hit(limit=2), at=DAY)

    def test_is_forgotten_when_its_window_is_over(self):
        passes(hit(), at=DAY - timedelta(days=400))
        passes(hit(seconds=30 * 86_400))
        prune_idempotency_keys()

        assert [row.ends_at > datetime.now(UTC) for row in RateLimitCount.objects.all()] == [True]


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_get_no_more_than_the_limit():
    both = [hit(code="test-wide", limit=100), hit(limit=10)]

    def ask() -> int:
        try:
            return sum(passes(*both, at=DAY) for _ in range(4))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        allowed = sum(done.result() for done in [pool.submit(ask) for _ in range(8)])

    assert allowed == 10
    assert [window.used for window in counters.look(both, at=DAY)] == [10, 10]
