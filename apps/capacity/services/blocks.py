"""Keep blocks: make them, one or many, retire, split and merge them. For staff."""

import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from apps.capacity.errors import BlockInUse, BlockRefused
from apps.capacity.models import CapacityBlock, Project
from apps.capacity.models.blocks import LONGEST_SERIAL
from apps.capacity.selectors.amounts import total_kw
from apps.capacity.services import counting
from apps.capacity.services.locking import lock_project
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.tenants.services import audit

State = CapacityBlock.State
MOST_AT_ONCE = 10_000
SERIAL = re.compile(r"[A-Za-z0-9._-]+")  # it stands in addresses


@dataclass(frozen=True)
class Range:
    """Serials that count from one number to another: A-001 to A-250."""

    prefix: str
    first: int
    last: int
    digits: int = 1  # at least; filled with zeros

    @property
    def serials(self) -> list[str]:
        """The serials, in order."""
        return [
            f"{self.prefix}{number:0{self.digits}}" for number in range(self.first, self.last + 1)
        ]


@transaction.atomic
def create_blocks(*, project: Project, range_: Range, capacity_kw: Decimal) -> list[CapacityBlock]:
    """
    Make blocks of one size, with the serials of a range, at the end of the queue.

    :raises BlockRefused: if there are none or too many, a serial is taken or too long, or they
        do not fit into the project.
    """
    count = range_.last - range_.first + 1
    if range_.first < 0 or not 1 <= count <= MOST_AT_ONCE:
        raise BlockRefused(field="last", reason=f"A range has from 1 to {MOST_AT_ONCE:,} blocks.")
    project = lock_project(project.pk)
    last = CapacityBlock.objects.filter(project=project).aggregate(last=Max("position"))["last"]
    sizes = [(serial, capacity_kw) for serial in range_.serials]
    made = _make(project, sizes, itertools.count((last or 0) + 1))
    _record("block.created", project, made, of_kw=str(capacity_kw))
    return made


@inside_transaction
def _make(
    project: Project,
    sizes: Sequence[tuple[str, Decimal]],
    positions: Iterable[int],
    *,
    split_from: CapacityBlock | None = None,
) -> list[CapacityBlock]:
    """Add blocks with these serials and sizes to a locked project, each at its position."""
    _check_sizes(project, sizes)
    blocks = CapacityBlock.objects.bulk_create(
        CapacityBlock(
            project=project,
            serial=serial,
            capacity_kw=size,
            position=position,
            split_from=split_from,
        )
        for (serial, size), position in zip(sizes, positions, strict=False)
    )
    counting.offer(project, blocks)
    return blocks


def _check_sizes(project: Project, sizes: Sequence[tuple[str, Decimal]]) -> None:
    serials = [serial for serial, _ in sizes]
    if not all(SERIAL.fullmatch(serial) and len(serial) <= LONGEST_SERIAL for serial in serials):
        reason = f"Give up to {LONGEST_SERIAL} letters, digits, points, dashes and underscores."
        raise BlockRefused(field="serial", reason=reason)
    taken = CapacityBlock.objects.filter(project=project, serial__in=serials)
    double = taken.values_list("serial", flat=True).first()
    if double is not None or len(set(serials)) != len(serials):
        reason = f"There is a block {double or max(serials, key=serials.count)} already."
        raise BlockRefused(field="serial", reason=reason)
    # All above zero first: pieces are at most their block then, and can be rounded.
    if any(size <= 0 for _, size in sizes) or any(size != round(size, 3) for _, size in sizes):
        reason = "Give more than 0 kW, with three digits after the point at most."
        raise BlockRefused(field="capacity_kw", reason=reason)
    kw, room = sum(size for _, size in sizes), project.capacity_kw - project.blocks_kw
    if kw > room:
        reason = f"These are {kw} kW, and {room} kW of the project are in no block."
        raise BlockRefused(field="capacity_kw", reason=reason)


@transaction.atomic
def retire_blocks(*, project: Project, blocks: Collection[CapacityBlock], reason: str) -> None:
    """
    Take free blocks out of the project for ever.

    :raises BlockInUse: if one of them is held, allocated or retired already.
    :raises BlockRefused: if there are none.
    """
    project, found = _lock_free(project, blocks)
    counting.retire_free_blocks(project, found, workers_now())
    _record("block.retired", project, found, reason=reason)


@transaction.atomic
def split_block(
    *, block: CapacityBlock, sizes: Sequence[Decimal], reason: str = ""
) -> list[CapacityBlock]:
    """
    Replace a free block by pieces that add up to it and keep its place in the queue.

    :raises BlockInUse: if it is held, allocated or retired.
    :raises BlockRefused: if there are not from 2 to 100 pieces, or they do not add up to it.
    """
    project, (block,) = _lock_free(block.project, [block])
    if not 2 <= len(sizes) <= 100:
        raise BlockRefused(field="sizes", reason="Give the sizes of 2 to 100 pieces.")
    if sum(sizes) != block.capacity_kw:
        reason = f"The pieces are {sum(sizes)} kW, and the block is {block.capacity_kw} kW."
        raise BlockRefused(field="sizes", reason=reason)
    counting.retire_free_blocks(project, [block], workers_now())
    named = [(f"{block.serial}.{number}", size) for number, size in enumerate(sizes, start=1)]
    pieces = _make(project, named, itertools.repeat(block.position), split_from=block)
    into = [piece.serial for piece in pieces]
    _record("block.split", project, [block], reason=reason, into=into)
    return pieces


@transaction.atomic
def merge_blocks(
    *, project: Project, blocks: Collection[CapacityBlock], serial: str, reason: str = ""
) -> CapacityBlock:
    """
    Replace free blocks by one of their size, in the place of the oldest.

    :raises BlockInUse: if one of them is held, allocated or retired.
    :raises BlockRefused: if there are fewer than two, or the serial is taken.
    """
    project, found = _lock_free(project, blocks)
    if len(found) < 2:
        raise BlockRefused(field="blocks", reason="Choose at least two blocks.")
    counting.retire_free_blocks(project, found, workers_now())
    (merged,) = _make(project, [(serial, total_kw(found))], [found[0].position])
    CapacityBlock.objects.filter(pk__in=[one.pk for one in found]).update(merged_into=merged)
    _record("block.merged", project, found, reason=reason, into=[merged.serial])
    return merged


def _lock_free(
    project: Project, blocks: Collection[CapacityBlock]
) -> tuple[Project, list[CapacityBlock]]:
    """Lock the project and return these blocks of it as they are now, the oldest first."""
    project = lock_project(project.pk)
    counting.end_past_holds(project, workers_now())
    rows = CapacityBlock.objects.filter(project=project, pk__in=[block.pk for block in blocks])
    found = list(rows.order_by("position", "id"))
    if not found or len(found) != len(blocks):
        raise BlockRefused(field="blocks", reason="Choose blocks of one project.")
    for block in found:
        if block.state != State.FREE:
            raise BlockInUse(serial=block.serial, state=block.state)
    return project, found


def _record(
    action: str,
    project: Project,
    blocks: Sequence[CapacityBlock],
    *,
    reason: str = "",
    **after: Any,
) -> None:
    audit.record(
        action=action,
        object_id=project.public_id,
        reason=reason,
        after={
            "project": project.code,
            "blocks": len(blocks),
            "from": blocks[0].serial,
            "to": blocks[-1].serial,
            "capacity_kw": str(total_kw(blocks)),
            **after,
        },
    )
