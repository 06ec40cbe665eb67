"""Moving windows: exact for any length, atomic over threads, processes and policies."""

import random
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from limits import RateLimitItemPerSecond
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.core.ratelimits import windows
from apps.core.ratelimits.limiter import tightest
from apps.core.ratelimits.windows import RedisAway, Store, Window, Windows, key_of
from tests.ratelimits.limiting import NOWHERE, hit

ROOT = Path(__file__).parents[2]
START = 1_800_000_000.0
LENGTHS = [1, 7, 60, 90, 3600, 86_400, 30 * 86_400]
TRY_OFTEN = """
import sys
from apps.core.ratelimits.policies import Hit, Policy
from apps.core.ratelimits.windows import Windows
url, prefix, times, limit = sys.argv[1:]
counted = Windows(url, key_prefix=prefix)
hits = [Hit(Policy("test-shared", "key", "any", int(limit), 3600), "key_1")]
print(sum(counted.acquire(hits)[0].is_allowed for _ in range(int(times))))
"""


@pytest.fixture
def counted(settings) -> Windows:
    return Windows(settings.REDIS_URL, key_prefix=f"{settings.CACHE_PREFIX}:rate")


def passes(counted, *hits, at=None) -> bool:
    return all(window.is_allowed for window in counted.acquire(hits, at=at))


class TestAWindow:
    @pytest.mark.parametrize("seconds", LENGTHS)
    def test_is_as_long_as_it_says(self, counted, seconds):
        three = hit(limit=3, seconds=seconds)
        moments = [START, START + seconds * 0.25, START + seconds * 0.75]
        assert all(passes(counted, three, at=moment) for moment in moments)

        assert not passes(counted, three, at=START + seconds * 0.999)
        assert passes(counted, three, at=START + seconds)  # the first has left, no other
        assert not passes(counted, three, at=START + seconds * 1.2)
        assert passes(counted, three, at=START + seconds * 1.25)

    def test_of_an_hour_does_not_begin_again_each_minute(self, counted):
        """The defect of document 002: it cut the moment to the minute, whatever the window."""
        two = hit(limit=2, seconds=3600)
        assert passes(counted, two, at=START)
        assert passes(counted, two, at=START)

        assert not any(passes(counted, two, at=START + 60 * minute) for minute in range(1, 60))

    def test_never_has_more_than_the_limit_at_its_edge(self, counted):
        """Fixed windows let through twice as many around the end of one."""
        two = hit(limit=2, seconds=60)
        late = [passes(counted, two, at=START + 59 + part / 10) for part in range(3)]
        early = [passes(counted, two, at=START + 60 + part / 10) for part in range(3)]

        assert (late, early) == ([True, True, False], [False, False, False])

    @pytest.mark.parametrize("seconds", LENGTHS)
    def test_agrees_with_a_plain_list(self, counted, seconds):
        chance = random.Random(seconds)
        limit = chance.randint(1, 6)
        one, model, now = hit(limit=limit, seconds=seconds), [], START
        for _ in range(60):
            now += chance.choice([0, 1, 2, 3, 5]) * seconds / 8
            model = [moment for moment in model if moment > now - seconds]
            is_allowed = len(model) < limit
            if is_allowed:
                model.append(now)
            (window,) = counted.acquire([one], at=now)

            assert (window.is_allowed, window.used) == (is_allowed, len(model))
            assert window.seconds_left == pytest.approx(model[0] + seconds - now, abs=0.01)

    def test_is_only_looked_at_where_that_is_asked(self, counted):
        one = hit(limit=1)
        (empty,) = counted.acquire([one], amount=0, at=START)
        assert (empty.used, empty.remaining, empty.seconds_left) == (0, 1, 60)
        assert passes(counted, one, at=START)

        (full,) = counted.acquire([one], amount=0, at=START + 20)
        assert (full.used, full.remaining, full.seconds_left) == (1, 0, 40)

    def test_keeps_no_more_than_it_needs_and_not_for_ever(self, counted):
        one = hit(limit=2, seconds=60)
        for minute in range(5):
            assert passes(counted, one, at=START + 60 * minute)
        redis, key = counted.get_connection(), counted.prefixed_key(key_of(one))

        assert redis.llen(key) == 2
        assert 0 < redis.ttl(key) <= 120

    def test_is_the_librarys_own(self, counted):
        """What `limits` counts we count on, and it reads what we counted."""
        item = RateLimitItemPerSecond(5, 3600, "test-some")
        library = MovingWindowRateLimiter(counted)
        assert library.hit(item, "org_1")

        (window,) = counted.acquire([hit(limit=5, seconds=3600)])
        assert window.used == 2
        assert library.get_window_stats(item, "org_1").remaining == 3


class TestSeveralPolicies:
    def test_are_all_charged_or_none(self, counted):
        wide, narrow = hit(code="test-wide", limit=10), hit(code="test-narrow", limit=1)
        assert passes(counted, wide, narrow, at=START)
        refused = counted.acquire([wide, narrow], at=START + 1)

        assert [window.is_allowed for window in refused] == [True, False]
        assert [window.used for window in refused] == [1, 1]
        assert counted.acquire([wide], amount=0, at=START + 1)[0].used == 1

    def test_count_each_subject_by_itself(self, counted):
        assert passes(counted, hit("org_1", limit=1))
        assert passes(counted, hit("org_2", limit=1))
        assert not passes(counted, hit("org_1", limit=1))

    def test_are_told_by_the_tightest(self):
        wide, narrow = hit(code="test-wide", limit=10).policy, hit(limit=3).policy
        windows = [Window(wide, 1, 60, True), Window(narrow, 1, 60, True)]
        assert tightest(windows).policy is narrow

        refusing = [Window(wide, 10, 90, False), Window(narrow, 3, 60, False)]
        assert tightest(refusing).policy is wide  # for both there is room only then


class TestAtOnce:
    def test_threads_get_no_more_than_the_limit(self, counted):
        one, begin = hit(limit=50, seconds=3600), Barrier(32)

        def ask() -> int:
            begin.wait()
            return sum(passes(counted, one) for _ in range(4))

        with ThreadPoolExecutor(32) as pool:
            allowed = sum(done.result() for done in [pool.submit(ask) for _ in range(32)])

        assert allowed == 50

    def test_processes_share_a_count(self, settings):
        prefix = f"{settings.CACHE_PREFIX}:rate"
        command = [sys.executable, "-c", TRY_OFTEN, settings.REDIS_URL, prefix, "20", "25"]
        both = [
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        allowed = [int(one.communicate()[0]) for one in both]

        assert sum(allowed) == 25


class TestWithoutRedis:
    def test_says_so_and_does_not_ask_again_for_a_while(self, settings, monkeypatch, patient):
        store = Store(settings.REDIS_URL, f"{settings.CACHE_PREFIX}:rate")
        asked, now = [], [1000.0]
        acquire = store.windows.acquire

        def away(*args, **kwargs):
            asked.append(1)
            raise RedisConnectionError("gone")

        monkeypatch.setattr(windows, "monotonic", lambda: now[0])
        monkeypatch.setattr(store.windows, "acquire", away)
        for _ in range(3):
            with pytest.raises(RedisAway):
                store.acquire([hit()])
        assert len(asked) == 1

        monkeypatch.setattr(store.windows, "acquire", acquire)
        with pytest.raises(RedisAway):
            store.acquire([hit()])  # it is back, and nobody has looked yet
        now[0] += windows.AWAY_SECONDS
        assert store.acquire([hit()])[0].used == 1

    def test_tells_the_log_once_a_minute(self, monkeypatch):
        store, now, told = Store(NOWHERE, "test"), [1000.0], []
        monkeypatch.setattr(windows, "monotonic", lambda: now[0])
        monkeypatch.setattr(windows.logger, "error", lambda event, **_: told.append(event))
        for _ in range(7):
            with pytest.raises(RedisAway):
                store.acquire([hit()])
            now[0] += 10
        assert told == ["rate_limits_without_redis"] * 2

    def test_does_not_wait_for_one_that_never_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            store = Store(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", "test")
            with pytest.raises(RedisAway) as away:
                store.acquire([hit()])

        assert "Timeout" in type(away.value.__cause__).__name__
