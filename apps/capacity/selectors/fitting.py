"""
Which sizes of blocks add up to what: a pure function of how many there are of each size.

Sums are bits of a whole number: bit n stands for n units, the greatest common divisor of
all sizes. Adding a block of k units to every sum is a shift by k, so that a thousand blocks
of a size cost ten shifts (1, 2, 4 … blocks at once).
"""

from collections import Counter
from collections.abc import Mapping
from math import gcd

from apps.capacity.errors import FitTooFine

MOST_SUMS = 1_000_000  # bits that are kept of each size
MOST_SIZES = 100


def closest_sum(
    sizes: Mapping[int, int], *, wanted: int, lowest: int, highest: int
) -> Counter[int] | None:
    """
    Return how many of each size add up to what comes closest to `wanted`, all in watts.

    `sizes` says how many there are of each. Nothing below `lowest` or above `highest` counts;
    of two that are as close the larger is taken. None if nothing adds up to what counts.

    :raises FitTooFine: if there are too many sizes or sums to look through.
    """
    unit = gcd(*sizes)
    if not unit or highest < unit:
        return None
    top = min(highest, sum(size * blocks for size, blocks in sizes.items())) // unit
    if top > MOST_SUMS or len(sizes) > MOST_SIZES:
        raise FitTooFine
    steps = _sums(sizes, unit, top)
    found = _closest_bit(steps[-1][1], wanted, -(-max(lowest, unit) // unit), unit)
    return None if found is None else _taken_apart(steps, found, unit)


def _sums(sizes: Mapping[int, int], unit: int, top: int) -> list[tuple[int, int]]:
    """Return, after each size, the sums that can be reached with it and those before."""
    mask = (1 << (top + 1)) - 1
    steps = [(0, 1)]
    for size in sorted(sizes, reverse=True):  # so that few large blocks are taken
        reached, left, at_once = steps[-1][1], min(sizes[size], top * unit // size), 1
        while left > 0:
            count = min(at_once, left)
            reached |= (reached << (count * size // unit)) & mask
            left, at_once = left - count, at_once * 2
        steps.append((size, reached))
    return steps


def _closest_bit(reached: int, wanted: int, lowest: int, unit: int) -> int | None:
    """Return the bit that is closest to `wanted` watts, and not below the bit `lowest`."""
    reached = reached >> lowest << lowest
    split = min(max(-(-wanted // unit), 0), reached.bit_length())
    above = reached >> split
    below = reached & ((1 << split) - 1)
    up = split + (above & -above).bit_length() - 1 if above else None
    down = below.bit_length() - 1 if below else None
    if up is None or down is None:
        return down if up is None else up
    return up if up * unit - wanted <= wanted - down * unit else down


def _taken_apart(steps: list[tuple[int, int]], found: int, unit: int) -> Counter[int]:
    """Return how many of each size make the sum, going back size by size."""
    taken: Counter[int] = Counter()
    for (size, _), (_, before) in zip(reversed(steps[1:]), reversed(steps[:-1]), strict=True):
        while not before >> found & 1:
            taken[size] += 1
            found -= size // unit
    return taken
