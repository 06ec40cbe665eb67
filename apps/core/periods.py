"""Spans of time with the first instant in and the last one out; months and days are UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True)
class Period:
    """From `starts_at` on, up to and without `ends_at`."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of_month(cls, day: date) -> "Period":
        """Return the month in which the day lies."""
        first = day.replace(day=1)
        return cls.of_days(first, next_month(first) - timedelta(days=1))

    @classmethod
    def of_days(cls, first: date, last: date) -> "Period":
        """Return all of these days, the last one too."""
        return cls(utc_midnight(first), utc_midnight(last + timedelta(days=1)))

    @property
    def first_day(self) -> date:
        """The day on which it begins."""
        return self.starts_at.astimezone(UTC).date()

    @property
    def last_day(self) -> date:
        """The last day that is wholly or partly in it."""
        return (self.ends_at - timedelta(microseconds=1)).astimezone(UTC).date()

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"


def utc_midnight(day: date) -> datetime:
    """Return the instant at which the day begins, UTC."""
    return datetime.combine(day, time.min, UTC)


def next_month(first: date) -> date:
    """Return the first day of the month after this one."""
    return (first.replace(day=1) + timedelta(days=32)).replace(day=1)
