"""The map of a project: its blocks as squares, the oldest first, so many at a time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.capacity.models import Allocation, CapacityBlock, Project, Reservation
from apps.capacity.selectors.blocks import blocks_of
from apps.core import paging
from apps.tenants.models import Organization

SQUARES = 500  # of one map, however many blocks there are
COLUMNS = 25
STEP = 10  # from one square to the next, in units of the drawing


@dataclass(frozen=True)
class Square:
    """A block and its place in the drawing. Whose it is, only its owner is told."""

    serial: str
    capacity_kw: Decimal
    standing: str  # free, held or allocated
    is_own: bool
    x: int
    y: int


@dataclass(frozen=True)
class BlockMap:
    """Some of a project's blocks."""

    squares: list[Square]
    next_id: str  # the block after which the next map begins; empty: there is none
    is_first: bool

    @property
    def width(self) -> int:
        """How wide the drawing is, in its own units."""
        return COLUMNS * STEP

    @property
    def height(self) -> int:
        """How high the drawing is, in its own units."""
        return -(-len(self.squares) // COLUMNS) * STEP

    @property
    def counts(self) -> dict[str, int]:
        """How many of these blocks are free, held, allocated, and the viewer's own."""
        states = Counter(square.standing for square in self.squares)
        own = sum(square.is_own for square in self.squares)
        return {"free": 0, "held": 0, "allocated": 0, **states, "own": own}


def map_of(
    project: Project, organization: Organization, now: datetime, *, after: str = ""
) -> BlockMap:
    """Return the map that begins after this block, or at the oldest one where it is unknown."""
    blocks = blocks_seen_by(organization, project, now).order_by("position", "id")
    row_id = CapacityBlock.read_id(after)
    last = blocks.filter(pk=row_id).first() if row_id else None
    if last is not None:
        later = Q(position__gt=last.position) | Q(pk__gt=last.pk)
        blocks = blocks.filter(later, position__gte=last.position)
    found, end = paging.page_of(blocks, size=SQUARES)
    return BlockMap(list(_placed(found)), end.public_id if end else "", is_first=last is None)


def blocks_seen_by(
    organization: Organization, project: Project, now: datetime
) -> QuerySet[CapacityBlock]:
    """
    Return the blocks of a project as they stand now, and of each whether it is the viewer's own.

    That says `is_allocated_to_it` or, while it is held, `is_held_for_it`.
    """
    allocated = Allocation.objects.filter(
        organization=organization, block=OuterRef("pk"), released_at=None
    )
    held = Reservation.objects.filter(organization=organization, pk=OuterRef("held_for"))
    blocks = blocks_of(project, now)
    return blocks.annotate(is_allocated_to_it=Exists(allocated), is_held_for_it=Exists(held))


def is_own(block: Any) -> bool:
    """Tell whether a block of `blocks_seen_by` is allocated to the viewer, or held for him."""
    is_held = block.is_held_for_it and block.standing == CapacityBlock.State.HELD
    return bool(block.is_allocated_to_it or is_held)


def _placed(blocks: list[Any]) -> Iterator[Square]:
    for number, block in enumerate(blocks):
        row, column = divmod(number, COLUMNS)
        yield Square(
            *(block.serial, block.capacity_kw, block.standing),
            is_own=is_own(block),
            x=column * STEP,
            y=row * STEP,
        )
