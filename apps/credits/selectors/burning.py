"""
How long credits last: burning lots down at a rate that is not known exactly.

Arithmetic only, no database. What k more days use is taken as the sum of k days like those
seen; its interval counts both how much days differ and how little a few of them say about
the mean. Days are taken to be independent of each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from itertools import pairwise
from uuid import UUID

HORIZON_DAYS = 365
CONFIDENCE_PERCENT = 80
Z = Decimal("1.2816")  # the normal distribution has a tenth above it
DAYS_FOR_WEEKDAYS = 28  # four of each, before Mondays are told from Sundays
SECONDS_PER_DAY = 86_400
DAY = timedelta(days=1)


@dataclass(slots=True)
class Pool:
    """Credits that burn together: the part of a lot that the arithmetic needs."""

    id: UUID
    left: int  # credits
    effective_at: datetime
    expires_at: datetime | None
    order: int  # the lowest burns first


@dataclass(frozen=True)
class Rate:
    """Credits that are used from now on, summed over days: expected, and between which bounds."""

    expected: tuple[Decimal, ...]  # after 0, 1, 2 … days
    low: tuple[Decimal, ...]
    high: tuple[Decimal, ...]


@dataclass(slots=True)
class Burned:
    """What became of the pools at one rate."""

    runs_out_at: datetime | None = None
    unused: dict[UUID, int] = field(default_factory=dict)  # credits that expired, by pool


def rate_of(history: Sequence[tuple[date, int]], *, today: date) -> Rate:
    """Return what is used from today on, given the use of at least two whole days before."""
    by_weekday = len(history) >= DAYS_FOR_WEEKDAYS
    days: dict[int, list[int]] = {}
    for day, used in history:
        days.setdefault(day.weekday() if by_weekday else 0, []).append(used)
    means = {group: Decimal(sum(used)) / len(used) for group, used in days.items()}
    freedom = max(1, len(history) - len(days))
    squares = sum((used - means[group]) ** 2 for group, all_ in days.items() for used in all_)
    variance = Decimal(squares) / freedom
    factor = Z + (Z**3 + Z) / (4 * freedom)  # Student's, near enough from six degrees on
    expected, low, high = [Decimal(0)], [Decimal(0)], [Decimal(0)]
    seen = dict.fromkeys(days, 0)
    for number in range(1, HORIZON_DAYS + 1):
        group = (today + timedelta(days=number - 1)).weekday() if by_weekday else 0
        seen[group] += 1
        of_means = sum(Decimal(seen[one] ** 2) / len(days[one]) for one in days)
        width = factor * (variance * (number + of_means)).sqrt()
        expected.append(expected[-1] + means[group])
        # What is used only grows, whatever the bounds of a single day say.
        low.append(max(low[-1], expected[-1] - width))
        high.append(max(high[-1], expected[-1] + width))
    return Rate(tuple(expected), tuple(low), tuple(high))


def burn(pools: Sequence[Pool], used: Sequence[Decimal], *, now: datetime) -> Burned:
    """Let pools burn, begin and expire from now on, while `used` credits are used by each day."""
    burned = Burned()
    left = {pool.id: pool.left for pool in pools}
    waiting = sorted(pools, key=lambda pool: pool.effective_at, reverse=True)
    ending = sorted(
        (pool for pool in pools if pool.expires_at), key=_end, reverse=True
    )  # the next is the last of the list
    burning: list[tuple[int, UUID]] = []
    available = 0
    moments = _moments(pools, now)
    for moment, following in pairwise(moments):
        while waiting and waiting[-1].effective_at <= moment:
            begun = waiting.pop()
            heappush(burning, (begun.order, begun.id))
            available += left[begun.id]
        while ending and _end(ending[-1]) <= moment:
            ended = ending.pop()
            if left[ended.id]:
                burned.unused[ended.id] = left[ended.id]
                available -= left[ended.id]
                left[ended.id] = 0
        due = _used_until(used, following - now) - _used_until(used, moment - now)
        if due > available and burned.runs_out_at is None:
            burned.runs_out_at = moment
        available -= _draw(burning, left, min(due, available))
    return burned


def _draw(burning: list[tuple[int, UUID]], left: dict[UUID, int], due: int) -> int:
    drawn = 0
    while drawn < due:
        pool = burning[0][1]
        part = min(left[pool], due - drawn)
        left[pool] -= part
        drawn += part
        if not left[pool]:
            heappop(burning)
    return drawn


def _moments(pools: Sequence[Pool], now: datetime) -> list[datetime]:
    """Return the moments between which nothing begins or ends, a day apart at most."""
    until = now + HORIZON_DAYS * DAY
    turns = {now + number * DAY for number in range(HORIZON_DAYS + 1)}
    turns |= {pool.effective_at for pool in pools if now < pool.effective_at < until}
    turns |= {
        pool.expires_at for pool in pools if pool.expires_at and now < pool.expires_at < until
    }
    return sorted(turns)


def _used_until(used: Sequence[Decimal], after: timedelta) -> int:
    """Return whole credits used after so long; within a day they are used evenly."""
    days, seconds = after.days, after.seconds
    part = (used[min(days + 1, HORIZON_DAYS)] - used[days]) * seconds / SECONDS_PER_DAY
    return int(used[days] + part)


def _end(pool: Pool) -> datetime:
    assert pool.expires_at is not None
    return pool.expires_at
