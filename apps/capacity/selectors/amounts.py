"""Capacity in whole watts to count with, and in kW for people."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

WATTS = 1000  # in a kW


class Sized(Protocol):
    """A block, or an allocation of one."""

    capacity_kw: Decimal


def total_kw(rows: Iterable[Sized]) -> Decimal:
    """Return what rows add up to, in kW."""
    return sum((row.capacity_kw for row in rows), Decimal("0.000"))


def to_watts(kilowatts: Decimal) -> int:
    """Return whole watts; a column of kW has no smaller part."""
    return int(kilowatts * WATTS)


def to_kilowatts(watts: int) -> Decimal:
    """Return kW, with three digits after the point."""
    return (Decimal(watts) / WATTS).quantize(Decimal("0.001"))


def to_kwh(watt_hours: int) -> Decimal:
    """Return kWh, with three digits after the point."""
    return to_kilowatts(watt_hours)


def written(kilowatts: Decimal) -> str:
    """Return kW as refusals and the audit log have them: three digits after the point."""
    return f"{kilowatts:.3f}"
