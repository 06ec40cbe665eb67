"""Taxes by rates that somebody entered. Nothing here knows a country's law."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True)
class Rate:
    """A tax rate: percent of the amount, inside of it or on top."""

    id: str
    percent: Decimal
    is_inclusive: bool


@dataclass(frozen=True)
class Tax:
    """What one rate makes of an amount."""

    rate: Rate
    amount: int
    taxable: int


def taxes(amount: int, rates: Sequence[Rate]) -> list[Tax]:
    """Return the tax of each rate; inclusive ones are taken out of the amount first."""
    inside = sum((rate.percent for rate in rates if rate.is_inclusive), Decimal(0))
    net = Decimal(amount) / (1 + inside / 100)
    found = [Tax(rate, _whole(net * rate.percent / 100), 0) for rate in rates]
    included = sum(tax.amount for tax in found if tax.rate.is_inclusive)
    return [Tax(tax.rate, tax.amount, amount - included) for tax in found]


def _whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
