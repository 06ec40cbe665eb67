"""
Choose blocks for a wish: the same for a quote, which takes none, and for a reservation.

A reservation asks under the lock of the project, so that what is chosen is still free when
it is taken. `now` is the instance's time (apps.core.clock.workers_now).
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.capacity.errors import (
    InsufficientCapacity,
    NoExactFit,
    OvershootNotAgreed,
    TooManyBlocks,
)
from apps.capacity.models import Project
from apps.capacity.models.reservations import Mode
from apps.capacity.selectors.amounts import to_kilowatts, to_watts, written
from apps.capacity.selectors.blocks import (
    Piece,
    oldest_of_sizes,
    oldest_pieces,
    sizes_of_free,
)
from apps.capacity.selectors.fitting import closest_sum

MOST_BLOCKS = 10_000  # of one reservation


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a customer asks for. All amounts are in kW."""

    kw: Decimal
    mode: str = Mode.FIFO
    allow_partial: bool = False  # less will do, if there is no more
    tolerance_kw: Decimal = Decimal(0)  # of an exact fit, both ways
    max_overshoot_kw: Decimal = Decimal(0)  # what he agrees to take beyond it

    @property
    def columns(self) -> dict[str, Any]:
        """As it stands in the row of a reservation, or of who waits (`wish_of` reads it there)."""
        return {
            "requested_kw": self.kw,
            "mode": self.mode,
            "allow_partial": self.allow_partial,
            "tolerance_kw": self.tolerance_kw,
            "max_overshoot_kw": self.max_overshoot_kw,
        }

    @property
    def agreed_kw(self) -> Decimal:
        """By how much more he takes: an exact fit may be as much more as it may be less."""
        if self.mode == Mode.EXACT:
            return max(self.max_overshoot_kw, self.tolerance_kw)
        return self.max_overshoot_kw

    @property
    def least_kw(self) -> Decimal:
        """With how little he can be served; 0 if any less will do."""
        if self.allow_partial:
            return Decimal(0)
        return self.kw - self.tolerance_kw if self.mode == Mode.EXACT else self.kw


@dataclass(frozen=True)
class Choice:
    """The blocks that are chosen, the oldest first, and how they compare with the wish."""

    pieces: list[Piece]
    wish: Wish

    @property
    def watts(self) -> int:
        """What the blocks add up to."""
        return sum(piece.watts for piece in self.pieces)

    @property
    def kw(self) -> Decimal:
        """What the blocks add up to, in kW."""
        return to_kilowatts(self.watts)

    @property
    def overshoot_kw(self) -> Decimal:
        """By how much that is more than was asked for."""
        return max(self.kw - self.wish.kw, Decimal(0))

    @property
    def is_agreed(self) -> bool:
        """Whether the customer has agreed to that much more."""
        return self.overshoot_kw <= self.wish.agreed_kw


def choose(project: Project, wish: Wish, now: datetime) -> Choice:
    """
    Return the blocks that fit the wish, whether or not the customer agreed to their overshoot.

    :raises InsufficientCapacity: if less is free, and less will not do.
    :raises NoExactFit: if an exact fit was asked for, and there is none.
    :raises FitTooFine: if the sizes of blocks are too many to combine.
    :raises TooManyBlocks: if it takes more blocks than one reservation may have.
    """
    if wish.mode == Mode.FIFO:
        return _oldest(project, wish, now)
    sizes = sizes_of_free(project, now)
    fit = _fit(wish, sizes)
    if fit is None:
        _check_free(wish, sum(size * blocks for size, blocks in sizes.items()))
        raise NoExactFit(requested_kw=written(wish.kw), tolerance_kw=written(wish.tolerance_kw))
    if fit.total() > MOST_BLOCKS:
        raise TooManyBlocks(most=MOST_BLOCKS)
    return Choice(oldest_of_sizes(project, now, fit), wish)


def _fit(wish: Wish, sizes: Counter[int]) -> Counter[int] | None:
    """Return how many blocks of each size fit the wish: enough, or less if that will do."""
    wanted, largest = to_watts(wish.kw), max(sizes, default=0)
    lowest, highest = wanted, wanted + largest
    if wish.mode == Mode.EXACT:
        tolerance = to_watts(wish.tolerance_kw)
        lowest, highest = wanted - tolerance, wanted + tolerance
    fit = closest_sum(sizes, wanted=wanted, lowest=lowest, highest=highest)
    taken = sum(size * blocks for size, blocks in fit.items()) if fit else 0
    if not wish.allow_partial or (fit and taken <= wanted + to_watts(wish.agreed_kw)):
        return fit
    return closest_sum(sizes, wanted=wanted, lowest=1, highest=wanted) or fit


def check_agreed(choice: Choice) -> None:
    """
    Check that the customer has agreed to take as much more as the blocks are.

    :raises OvershootNotAgreed: if he has not.
    """
    if not choice.is_agreed:
        raise OvershootNotAgreed(
            requested_kw=written(choice.wish.kw),
            offered_kw=written(choice.kw),
            overshoot_kw=written(choice.overshoot_kw),
        )


def _oldest(project: Project, wish: Wish, now: datetime) -> Choice:
    """Choose block after block, from the oldest on, until it is enough."""
    wanted, pieces, watts = to_watts(wish.kw), list[Piece](), 0
    for piece in oldest_pieces(project, now):
        if len(pieces) == MOST_BLOCKS:
            raise TooManyBlocks(most=MOST_BLOCKS)
        pieces.append(piece)
        watts += piece.watts
        if watts >= wanted:
            return _without_last_if_partial(Choice(pieces, wish))
    _check_free(wish, watts)
    return Choice(pieces, wish)


def _without_last_if_partial(choice: Choice) -> Choice:
    """Leave the block that is too much, if less will do; the first one is never left."""
    if choice.is_agreed or not choice.wish.allow_partial or len(choice.pieces) == 1:
        return choice
    return Choice(choice.pieces[:-1], choice.wish)


def _check_free(wish: Wish, watts: int) -> None:
    if watts < to_watts(wish.kw) and not (wish.allow_partial and watts):
        raise InsufficientCapacity(
            requested_kw=written(wish.kw), available_kw=written(to_kilowatts(watts))
        )
