"""What discounts take off the lines of an invoice."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from simulator.arithmetic.proration import rounded


@dataclass(frozen=True)
class Reduction:
    """A discount: a percentage, or an amount in the invoice's currency."""

    id: str
    percent: Decimal | None = None
    amount: int = 0
    products: frozenset[str] | None = None  # None: all of them


@dataclass
class Reducible:
    """A line of an invoice, and what is left of its amount."""

    id: str
    amount: int
    product: str | None = None
    is_discountable: bool = True
    own: tuple[Reduction, ...] = ()


type Amounts = dict[str, list[tuple[str, int]]]


def reduce(lines: Sequence[Reducible], shared: Sequence[Reduction]) -> Amounts:
    """
    Return by line what each discount takes off it.

    A line's own discounts come before the invoice's; each takes from what the ones before it
    have left, and none takes more than that.
    """
    taken: Amounts = {line.id: [] for line in lines}
    left = {line.id: line.amount for line in lines}
    for line in lines:
        for reduction in line.own:
            _take(reduction, [line], left, taken)
    for reduction in shared:
        _take(reduction, lines, left, taken)
    return taken


def _take(
    reduction: Reduction, lines: Sequence[Reducible], left: dict[str, int], taken: Amounts
) -> None:
    fitting = [line for line in lines if _fits(reduction, line) and left[line.id] > 0]
    amounts = [left[line.id] for line in fitting]
    if reduction.percent is not None:
        parts = [percentage(amount, reduction.percent) for amount in amounts]
    else:
        parts = spread(min(reduction.amount, sum(amounts)), amounts)
    for line, part in zip(fitting, parts, strict=True):
        left[line.id] -= part
        taken[line.id].append((reduction.id, part))


def _fits(reduction: Reduction, line: Reducible) -> bool:
    if not line.is_discountable:
        return False
    return reduction.products is None or line.product in reduction.products


def percentage(amount: int, percent: Decimal) -> int:
    """Return so many percent of an amount, rounded half away from zero."""
    return int((amount * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount by weight; the parts add up to it exactly."""
    parts = []
    total = sum(weights)
    for weight in weights:
        part = rounded(amount * weight, total) if total else 0
        parts.append(part)
        amount -= part
        total -= weight
    return parts
