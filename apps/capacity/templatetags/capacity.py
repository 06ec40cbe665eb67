"""Template filters that write capacity the same way on every page."""

from datetime import timedelta
from decimal import Decimal

from django import template
from django.utils import formats

from apps.capacity.models import Allocation
from apps.capacity.selectors.amounts import to_kwh
from apps.core.money import grouped
from apps.core.templatetags.coffer import UNKNOWN

register = template.Library()


@register.filter
def digits(value: Decimal | None) -> str:
    """Write a number with no more digits than it has; an unknown one is a dash."""
    if value is None:
        return UNKNOWN
    text = f"{value.normalize():f}"
    return grouped(text, len(text.partition(".")[2]))


@register.filter
def kw(value: Decimal | None) -> str:
    """Write an amount of kW as `digits` does, with its unit."""
    return UNKNOWN if value is None else f"{digits(value)}\u00a0kW"


@register.filter
def last_day(allocation: Allocation) -> str:
    """Write the last day that an allocation has; a dash while it has no end."""
    ends = allocation.effective_to
    if ends is None:
        return UNKNOWN
    if ends == allocation.effective_from:
        return "Never began"
    return formats.date_format(ends - timedelta(days=1), "j M Y")


@register.filter
def kwh(watt_hours: int) -> str:
    """Write an amount of energy in kWh, to the Wh."""
    return f"{to_kwh(watt_hours):,}\u00a0kWh"
