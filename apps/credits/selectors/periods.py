"""Periods of whole days in the viewer's time zone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from apps.core.days import DAY, end_of, midnight


@dataclass(frozen=True)
class Period:
    """Whole days, the last one included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def begins_at(self) -> datetime:
        """The first moment of it."""
        return midnight(self.first)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return end_of(self.last)

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=number) for number in range(self.days))

    def before(self) -> "Period":
        """Return the period of the same length that ends where this one begins."""
        return Period(self.first - timedelta(days=self.days), self.first - DAY)


def last_days(count: int, *, until: date | None = None) -> Period:
    """Return the period of so many days that ends today, or on the day that is given."""
    last = until or timezone.localdate()
    return Period(last - timedelta(days=count - 1), last)


def this_month() -> Period:
    """Return the days of this month until today."""
    today = timezone.localdate()
    return Period(today.replace(day=1), today)


def last_month() -> Period:
    """Return the whole month before this one."""
    last = timezone.localdate().replace(day=1) - DAY
    return Period(last.replace(day=1), last)


# Periods by name, for API and pages.
NAMED: dict[str, Callable[[], Period]] = {
    "7d": lambda: last_days(7),
    "30d": lambda: last_days(30),
    "90d": lambda: last_days(90),
    "this_month": this_month,
    "last_month": last_month,
}
