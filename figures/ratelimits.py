"""Rate limits: exactly so many at once, in windows of any length, with Redis and without."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

from django.conf import settings
from django.db import connection, connections
from redis import Redis

from apps.core.models import RateLimitCount
from apps.core.ratelimits import counters
from apps.core.ratelimits.policies import Hit, Policy
from apps.core.ratelimits.windows import Windows, key_of
from figures.lines import SEED, Figure, Report, scaled
from tests.caching import forget_cached
from tests.database import migrated_database

THREADS, ASKED_BY_EACH = 32, 4
ROUNDS, ROUNDS_WITHOUT_REDIS = 40, 10
LENGTHS = (1, 7, 60, 90, 3600, 86_400, 30 * 86_400)  # seconds
ASKED_OF_A_LENGTH = 300
START = 1_800_000_000

Ask = Callable[[Hit], bool]  # count a request; whether it was let through
AskAt = Callable[[Hit, float], bool]  # the same at a moment
_number = count(1)


def main() -> None:
    """Print the figures of rate limits."""
    report = Report()
    with migrated_database():
        rate_limits(report)
    report.end()


def rate_limits(report: Report) -> None:
    """Each with a control that does what a simpler limiter does."""
    counted = Windows(settings.REDIS_URL, key_prefix=f"{settings.CACHE_PREFIX}:rate")
    try:
        with report.figure("rate_limits", asked=scaled(ROUNDS) * THREADS) as figure:
            at_once(
                figure,
                scaled(ROUNDS),
                lambda hit: counted.acquire([hit])[0].is_allowed,
                control=looks_and_then_counts(counted.get_connection()),
            )
        with report.figure("rate_limits_of_any_length", asked=scaled(1000)) as figure:
            of_any_length(
                figure, lambda hit, moment: counted.acquire([hit], at=moment)[0].is_allowed
            )
        with report.figure("rate_limits_without_redis", asked=THREADS) as figure:
            at_once(
                figure,
                scaled(ROUNDS_WITHOUT_REDIS),
                lambda hit: counters.acquire([hit])[0].is_allowed,
                control=reads_and_then_writes,
            )
    finally:
        forget_cached()


def at_once(figure: Figure, rounds: int, ask: Ask, *, control: Ask) -> None:
    """Let threads ask at the same moment; whatever is let through beside the limit failed."""
    chance = random.Random(SEED)
    limits = [chance.randint(1, THREADS * 2) for _ in range(rounds)]
    with ThreadPoolExecutor(THREADS) as pool:
        for limit in limits:
            figure.examined += THREADS * ASKED_BY_EACH
            figure.failures += abs(allowed_at_once(pool, ask, limit) - limit)
        too_many = sum(allowed_at_once(pool, control, limit) - limit for limit in limits)
        leave_together(pool, connections.close_all)
    figure.control = "red" if too_many else "green"
    print(f"    too_many_if_looked_at_before_it_is_counted={too_many}", flush=True)


def allowed_at_once(pool: ThreadPoolExecutor, ask: Ask, limit: int) -> int:
    """Return how many of all threads' requests were let through."""
    hit = some_hit(limit, 30 * 86_400)  # no window ends meanwhile
    return sum(leave_together(pool, lambda: sum(ask(hit) for _ in range(ASKED_BY_EACH))))


def leave_together[T](pool: ThreadPoolExecutor, work: Callable[[], T]) -> list[T]:
    """Let every thread of the pool do this, beginning at the same moment."""
    barrier = Barrier(THREADS)

    def run() -> T:
        barrier.wait()
        return work()

    return [done.result() for done in [pool.submit(run) for _ in range(THREADS)]]


def some_hit(limit: int, seconds: int) -> Hit:
    """Return a request of somebody new."""
    return Hit(Policy("figure", "key", "any", limit, seconds), f"key_{next(_number)}")


def looks_and_then_counts(redis: Redis) -> Ask:
    """Return a limiter that asks Redis twice: how many there are, and to count one more."""

    def ask(hit: Hit) -> bool:
        key = f"{settings.CACHE_PREFIX}:control:{key_of(hit)}"
        if int(redis.get(key) or 0) >= hit.policy.limit:
            return False
        redis.incr(key)
        return True

    return ask


def reads_and_then_writes(hit: Hit) -> bool:
    """Count in the same table by two statements."""
    if counters.look([hit])[0].used >= hit.policy.limit:
        return False
    rows = RateLimitCount.objects.filter(subject=hit.name)
    if not rows.exists():
        counters.acquire([hit])
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_ratelimitcount SET used = used + 1 WHERE subject = %s", [hit.name]
        )
    return True


def of_any_length(figure: Figure, ask: AskAt) -> None:
    """Compare every answer with a plain list of moments, at moments around the windows' edges."""
    by_the_minute = 0
    for seconds in LENGTHS:
        chance = random.Random(SEED + seconds)
        hit = some_hit(chance.randint(1, 9), seconds)
        moments = list(moments_around(chance, seconds))
        figure.examined += len(moments)
        figure.failures += wrong_answers(hit, moments, ask)
        by_the_minute += wrong_answers(hit, moments, cut_to_the_minute())
    figure.control = "red" if by_the_minute else "green"
    print(f"    wrong_if_windows_are_cut_to_the_minute={by_the_minute}", flush=True)


def moments_around(chance: random.Random, seconds: int) -> Iterator[float]:
    """Yield moments in order, many of them at and right beside multiples of the window."""
    now = START * 8
    for _ in range(scaled(ASKED_OF_A_LENGTH)):
        now += chance.choice([0, 0, 1, seconds, seconds * 2, seconds * 8 - 1, seconds * 8])
        yield now / 8  # eighths are exact


def wrong_answers(hit: Hit, moments: list[float], ask: AskAt) -> int:
    """Return how many answers differ from those of a list of all moments let through."""
    let_through: list[float] = []
    wrong = 0
    for moment in moments:
        let_through = [one for one in let_through if one > moment - hit.policy.seconds]
        is_right = len(let_through) < hit.policy.limit
        if is_right:
            let_through.append(moment)
        wrong += ask(hit, moment) != is_right
    return wrong


def cut_to_the_minute() -> AskAt:
    """Return the limiter of document 002: its windows begin each minute, whatever they are."""
    used: dict[float, int] = {}

    def ask(hit: Hit, moment: float) -> bool:
        begin = moment // 60
        used[begin] = used.get(begin, 0) + 1
        return used[begin] <= hit.policy.limit

    return ask


if __name__ == "__main__":
    main()
