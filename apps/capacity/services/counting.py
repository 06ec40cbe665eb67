"""
Move blocks from one state to another and count them on their project, in one place.

Whoever calls has locked the project, so the counters are added up in Python; the CHECK on
the row refuses whatever would not fit. Wherever blocks come free, those who wait are told.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum

from apps.capacity.models import Allocation, CapacityBlock, Project, Reservation
from apps.capacity.selectors.amounts import total_kw
from apps.capacity.selectors.blocks import blocks_held_for, is_past_its_hold
from apps.core.db import inside_transaction
from apps.core.queue import enqueue

State = CapacityBlock.State
NO_HOLD: dict[str, Any] = {"held_for": None, "held_until": None}


@inside_transaction
def end_past_holds(project: Project, now: datetime) -> None:
    """Make free what is past its hold, of whatever organization: blocks belong to none."""
    past = CapacityBlock.objects.filter(is_past_its_hold(now), project=project)
    kw = past.aggregate(kw=Sum("capacity_kw"))["kw"]
    if kw is None:
        return
    past.update(state=State.FREE, **NO_HOLD)
    _count(project, held=-kw)


@inside_transaction
def hold_blocks(project: Project, reservation: Reservation, block_ids: Collection[UUID]) -> None:
    """Mark free blocks as held for a reservation, until its end."""
    _mark(
        *(block_ids, State.FREE, State.HELD),
        held_for=reservation.pk,
        held_until=reservation.hold_expires_at,
    )
    _count(project, held=reservation.capacity_kw)


@inside_transaction
def prolong_hold(reservation: Reservation) -> None:
    """Let what a reservation holds be held until its end, which is a later one now."""
    blocks_held_for(reservation).update(held_until=reservation.hold_expires_at)


@inside_transaction
def free_held_blocks(project: Project, reservation: Reservation) -> None:
    """Make free what a reservation still holds."""
    held = blocks_held_for(reservation)
    kw = held.aggregate(kw=Sum("capacity_kw"))["kw"]
    if kw is not None:
        held.update(state=State.FREE, **NO_HOLD)
        _count(project, held=-kw)


@inside_transaction
def allocate_held_blocks(project: Project, reservation: Reservation) -> list[CapacityBlock]:
    """Mark what a reservation holds as allocated; return the blocks, the oldest first."""
    held = blocks_held_for(reservation)
    blocks = list(held.order_by("position", "id"))
    kw = total_kw(blocks)
    held.update(state=State.ALLOCATED, **NO_HOLD)
    _count(project, held=-kw, allocated=kw)
    return blocks


@inside_transaction
def allocate_free_blocks(project: Project, block_ids: Collection[UUID]) -> list[CapacityBlock]:
    """Mark free blocks as allocated; return them, the oldest first."""
    _mark(block_ids, State.FREE, State.ALLOCATED)
    blocks = list(CapacityBlock.objects.filter(pk__in=block_ids).order_by("position", "id"))
    _count(project, allocated=total_kw(blocks))
    return blocks


@inside_transaction
def free_allocated_blocks(project: Project, allocations: Collection[Allocation]) -> None:
    """Make the blocks free whose allocations have just ended."""
    blocks = [allocation.block_id for allocation in allocations]
    _mark(blocks, State.ALLOCATED, State.FREE)
    _count(project, allocated=-total_kw(allocations))


@inside_transaction
def offer(project: Project, blocks: Collection[CapacityBlock]) -> None:
    """Count blocks that were made just now, and are free."""
    project.blocks_kw += total_kw(blocks)
    project.save(update_fields=["blocks_kw"])
    tell_who_waits(project)


@inside_transaction
def retire_free_blocks(project: Project, blocks: Collection[CapacityBlock], now: datetime) -> None:
    """Mark free blocks as retired, for ever."""
    _mark([block.pk for block in blocks], State.FREE, State.RETIRED, retired_at=now)
    project.blocks_kw -= total_kw(blocks)
    project.save(update_fields=["blocks_kw"])


def _mark(block_ids: Collection[UUID], before: State, after: State, **fields: Any) -> None:
    blocks = CapacityBlock.objects.filter(pk__in=block_ids, state=before)
    marked = blocks.update(state=after, **fields)
    assert marked == len(block_ids), "the lock of the project keeps others from its blocks"


def _count(
    project: Project, *, held: Decimal = Decimal(0), allocated: Decimal = Decimal(0)
) -> None:
    project.held_kw += held
    project.allocated_kw += allocated
    project.save(update_fields=["held_kw", "allocated_kw"])
    if held + allocated < 0:
        tell_who_waits(project)


@inside_transaction
def count_waiting(project: Project, change: int) -> None:
    """Count who has come to the waiting list or left it; there may be something for the next."""
    project.waiting_count += change
    project.save(update_fields=["waiting_count"])
    tell_who_waits(project)


@inside_transaction
def tell_who_waits(project: Project) -> None:
    """
    Let a worker offer what is free, once this commits, to those who wait.

    The web could not: who waits are other organizations. Until then nobody else gets the
    blocks, because newcomers are refused while somebody waits.
    """
    if project.waiting_count:
        enqueue("capacity.offer_blocks", project_id=str(project.pk))
