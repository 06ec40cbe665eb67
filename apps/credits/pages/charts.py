"""Usage as bars, each leading to what explains it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from django.utils import formats

from apps.core.charts import MOST_SERIES, Bar, Chart
from apps.credits.selectors import DayOfUsage, Group, Usage

NOTHING = "No credits were used in these {days} days."


def chart_of_days(days: Sequence[DayOfUsage], url_of: Callable[[date], str]) -> Chart:
    """Return the use of each day as one bar."""
    return Chart(
        title="Credits used a day",
        heading="Day",
        series=("Credits",),
        bars=tuple(_bar(day.day, [day.credits], url_of(day.day)) for day in days),
        nothing=NOTHING.format(days=len(days)),
    )


def chart_of_usage(usage: Usage, url_of: Callable[[date], str]) -> Chart:
    """Return the use of each day as a bar of its largest groups; all others are one part."""
    top = usage.groups[:MOST_SERIES]
    others: Sequence[Group] = ()
    if len(usage.groups) > MOST_SERIES:
        top, others = usage.groups[: MOST_SERIES - 1], usage.groups[MOST_SERIES - 1 :]
    names = [group.label for group in top]
    if others:
        names.append(f"{len(others)} others")
    bars = []
    for day in usage.period:
        values = [_used([group], day) for group in top]
        bars.append(_bar(day, [*values, _used(others, day)] if others else values, url_of(day)))
    return Chart(
        title="Credits used a day",
        heading="Day",
        series=tuple(names),
        bars=tuple(bars),
        nothing=NOTHING.format(days=usage.period.days),
        is_large=True,
    )


def _used(groups: Iterable[Group], day: date) -> int:
    return sum(group.by_day[day].credits for group in groups if day in group.by_day)


def _bar(day: date, values: Sequence[int], url: str) -> Bar:
    return Bar(
        label=formats.date_format(day, "j M"),
        full_label=formats.date_format(day, "D j M Y"),
        values=tuple(values),
        url=url,
    )
