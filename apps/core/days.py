"""Whole days in the time zone of whoever looks."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

DAY = timedelta(days=1)
YEARS = range(2000, 2201)  # of which something can be kept


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins."""
    return timezone.make_aware(datetime.combine(day, time.min))


def is_sensible(day: date) -> bool:
    """Tell whether something can be kept of this day; at the ends of time nobody counts days."""
    return day.year in YEARS


def end_of(day: date) -> datetime:
    """Return the moment at which a day is over; of 9999-12-31, that at which it begins."""
    return midnight(min(day, date.max - DAY) + DAY)  # Python knows no day after it
