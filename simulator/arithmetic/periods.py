"""
Billing periods: when one ends and the next begins.

All are counted from the anchor, not from one another: an anchor on 31 January bills on 28 or
29 February and again on 31 March. All times are in seconds, in UTC.
"""

import calendar
from datetime import UTC, datetime, timedelta

DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}
# A rough length of each interval in seconds, to begin the count near to where it ends.
SECONDS = {"day": 86_400, "week": 604_800, "month": 2_629_746, "year": 31_556_952}
# How long an interval may be at the most.
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}


def shifted(anchor: int, interval: str, count: int) -> int:
    """Return the time so many intervals after the anchor; `count` may be below zero."""
    moment = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        return int((moment + timedelta(days=DAYS[interval] * count)).timestamp())
    months = moment.month - 1 + MONTHS[interval] * count
    return int(_in_month(moment, moment.year + months // 12, months % 12 + 1).timestamp())


def _in_month(moment: datetime, year: int, month: int, day: int | None = None) -> datetime:
    last = calendar.monthrange(year, month)[1]
    return moment.replace(year=year, month=month, day=min(day or moment.day, last))


def period_at(anchor: int, interval: str, count: int, at: int) -> tuple[int, int]:
    """Return start and end of the period in which a moment lies; its start belongs to it."""
    number = (at - anchor) // (SECONDS[interval] * count)
    while shifted(anchor, interval, count * number) > at:
        number -= 1
    while shifted(anchor, interval, count * (number + 1)) <= at:
        number += 1
    start = shifted(anchor, interval, count * number)
    return start, shifted(anchor, interval, count * (number + 1))


def anchored(now: int, interval: str, wanted: dict[str, int]) -> int:
    """
    Return the next time that fits `billing_cycle_anchor_config`.

    The day of the month is the last one in months that are shorter. A part of the day that is
    not given is that of now.
    """
    today = datetime.fromtimestamp(now, UTC)
    clock = {name: wanted[name] for name in ("hour", "minute", "second") if name in wanted}
    if "hour" in wanted:
        clock = {"minute": 0, "second": 0, **clock}
    month, year = wanted.get("month", today.month), today.year
    step = 12 if interval == "year" and "month" in wanted else 1
    found = _in_month(today, year, month, wanted["day_of_month"]).replace(**clock)  # type: ignore[arg-type]
    while found.timestamp() < now:
        year, month = divmod(year * 12 + month - 1 + step, 12)
        month += 1
        found = _in_month(found, year, month, wanted["day_of_month"])
    return int(found.timestamp())
