"""Take allocations of a former system over: once for each row, under the lock of its project."""

from datetime import date, datetime

from django.db import transaction

from apps.capacity.models import Allocation, CapacityBlock, Project
from apps.capacity.models.reservations import Mode
from apps.capacity.selectors.amounts import total_kw, written
from apps.capacity.selectors.former import FormerAllocation, check_days, imported_as
from apps.capacity.selectors.picking import Wish
from apps.capacity.services import counting
from apps.capacity.services.locking import lock_project
from apps.capacity.services.reserving import check_can_have, ids_of, take_stock_and_choose
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.core.imports import Unfit
from apps.tenants.services import audit


@transaction.atomic
def import_allocation(former: FormerAllocation) -> list[Allocation]:
    """
    Allocate what a former row says, from its first day on; nothing, if it was imported before.

    A row without a block takes free blocks that add up to its size exactly. One that is over
    becomes history of its block and takes nothing. Neither needs the project to be open, nor
    counts against a cap: what a customer has, he keeps.

    :raises Unfit: if the block is not free, was another's on one of the days, is not named where
        it must be, or the row was imported before with other values.
    :raises NotInSandbox: if the organization is a sandbox.
    :raises OrganizationNotActive: if the organization is closed or deactivated.
    :raises InsufficientCapacity: if less is free.
    :raises NoExactFit: if no free blocks add up to its size.
    :raises FitTooFine: if the sizes of blocks are too many to combine.
    :raises TooManyBlocks: if it takes more blocks than one reservation may have.
    """
    project, now = lock_project(former.project.pk), workers_now()
    is_over = former.is_over  # once: at midnight it would be another thing halfway
    if _is_imported(former):
        return []
    check_can_have(former.organization)
    blocks = [_block_of_the_past(former)] if is_over else _take(project, former, now)
    for block in blocks:
        check_days(former, block)
    made = Allocation.objects.bulk_create(
        Allocation(
            organization=former.organization,
            block=block,
            capacity_kw=block.capacity_kw,
            former_id=former.former_id if number == 1 else f"{former.former_id}/{number}",
            effective_from=former.starts_on,
            effective_to=former.ends_on,
            ending=former.ending,
            released_at=now if is_over else None,
        )
        for number, block in enumerate(blocks, start=1)
    )
    _record(former, made)
    return made


def _record(former: FormerAllocation, made: list[Allocation]) -> None:
    audit.record(
        action="capacity.import",
        organization=former.organization,
        object_id=made[0].public_id,
        after={
            "project": former.project.code,
            "former_id": former.former_id,
            "blocks": [allocation.block.serial for allocation in made],
            "effective_from": str(former.starts_on),
            "effective_to": str(former.ends_on or ""),
        },
    )


def _is_imported(former: FormerAllocation) -> bool:
    """
    Tell whether the row was imported before.

    What has ended here since then may be open in the row, or end later; the other way round
    somebody has to end it.

    :raises Unfit: if it was, with another organization, project, size or block, or it ends later.
    """
    found = imported_as(former.former_id)
    if not found:
        return False
    was = (found[0].organization_id, found[0].block.project_id, total_kw(found))
    is_same = was == (former.organization.pk, former.project.pk, former.capacity_kw)
    if not is_same or (former.block and former.block != found[0].block):
        problem = f"It was imported before, as {found[0].public_id}, and said something else."
        fix = "Put the row as it was, and change the allocation in the back office."
        raise Unfit("id", former.former_id, problem, fix)
    live = [one for one in found if one.released_at is None]
    if former.ends_on and any((one.effective_to or date.max) > former.ends_on for one in live):
        problem = f"It was imported before, as {found[0].public_id}, and goes on for longer here."
        fix = "Withdraw the allocation in the back office, or let the customer cancel it."
        raise Unfit("ends_on", str(former.ends_on), problem, fix)
    return True


def _block_of_the_past(former: FormerAllocation) -> CapacityBlock:
    if former.block is None:
        problem = "It has ended, and its history belongs to a block."
        raise Unfit("block", "", problem, "Name its block, or leave the row out.")
    return former.block


@inside_transaction
def _take(project: Project, former: FormerAllocation, now: datetime) -> list[CapacityBlock]:
    """Allocate the block that is named, if it is free, or those that add up to the size."""
    if former.block is None:
        choice = take_stock_and_choose(project, Wish(kw=former.capacity_kw, mode=Mode.EXACT), now)
        return counting.allocate_free_blocks(project, ids_of(choice.pieces))
    counting.end_past_holds(project, now)
    block = CapacityBlock.objects.get(pk=former.block.pk)
    if block.state != CapacityBlock.State.FREE:
        problem = f"Block {block.serial} ({written(block.capacity_kw)} kW) is {block.state}."
        raise Unfit("block", block.serial, problem, "Name another block, or none.")
    return counting.allocate_free_blocks(project, [block.pk])
