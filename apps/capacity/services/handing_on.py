"""Hand allocations on, whole blocks at once: to another organization, or to another project."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from apps.capacity.errors import AllocationsRefused
from apps.capacity.models import Allocation, Project
from apps.capacity.models.reservations import Mode
from apps.capacity.selectors.amounts import total_kw
from apps.capacity.selectors.picking import Wish
from apps.capacity.services import counting
from apps.capacity.services.allocating import first_day
from apps.capacity.services.ending import end_now, lock_live, record_ending
from apps.capacity.services.locking import lock_projects
from apps.capacity.services.reserving import check_may_take, ids_of, take_stock_and_choose
from apps.core.clock import workers_now
from apps.tenants.models import Organization

Ending = Allocation.Ending


@transaction.atomic
def transfer_allocations(
    *, allocations: Collection[Allocation], to: Organization, reason: str
) -> list[Allocation]:
    """
    Give blocks to another organization from today on; for staff. Yesterday stays the first's.

    Each new allocation follows the one that it comes from, so that no day has two owners.

    :raises AllocationsRefused: if there are none or too many, one has ended or is cancelled,
        they belong to several organizations, or to this one already.
    :raises CapExceeded: if the other would have more than he may.
    :raises NotInSandbox: if the other is a sandbox.
    :raises OrganizationNotActive: if the other is closed or deactivated.
    :raises ProjectNotOpen: if nothing new can be had of a project.
    """
    found, projects = _lock_uncancelled(allocations)
    if found[0].organization_id == to.pk:
        raise AllocationsRefused(reason=f"These belong to {to} already. Choose another.")
    now = workers_now()
    by_project = {
        project: [one for one in found if one.block.project_id == project.pk]
        for project in projects.values()
    }
    for project, own in by_project.items():
        check_may_take(project, to, total_kw(own), now)
    end_now(found, projects, Ending.TRANSFERRED, now)
    for project, own in by_project.items():
        counting.allocate_free_blocks(project, [one.block_id for one in own])
    made = Allocation.objects.bulk_create(
        Allocation(
            organization=to,
            block=former.block,
            capacity_kw=former.capacity_kw,
            reservation=None,  # that one is the other organization's
            follows=former,
            effective_from=first_day(projects[former.block.project_id], now),
        )
        for former in found
    )
    record_ending("capacity.transfer", found, reason=reason, to=to.public_id)
    record_ending("capacity.receive", made, reason=reason, from_=found[0].organization.public_id)
    return made


@transaction.atomic
def move_allocations(
    *, allocations: Collection[Allocation], to: Project, reason: str
) -> list[Allocation]:
    """
    End blocks today and allocate as many kW of another project instead; for staff.

    The new blocks add up to the old ones exactly. They are other ones, of other sizes: none
    follows one of the old, and the audit log says what became of all of them together.

    :raises AllocationsRefused: if there are none or too many, one has ended or is cancelled,
        they belong to several organizations, or to this project already.
    :raises CapExceeded: if the organization would have more of it than it may.
    :raises InsufficientCapacity: if less is free there.
    :raises NoExactFit: if no free blocks there add up to as much.
    :raises ProjectNotOpen: if nothing new can be had of it.
    """
    # Both at once, in id order: whoever moves the other way waits, and never for ever.
    lock_projects({to.pk, *_projects_of(allocations)})
    found, projects = _lock_uncancelled(allocations)
    if to.pk in projects:
        raise AllocationsRefused(reason=f"Some of these belong to {to} already.")
    target, now = lock_projects([to.pk])[to.pk], workers_now()
    kw = total_kw(found)
    organization = found[0].organization
    check_may_take(target, organization, kw, now)
    choice = take_stock_and_choose(target, Wish(kw=kw, mode=Mode.EXACT), now)
    blocks = counting.allocate_free_blocks(target, ids_of(choice.pieces))
    end_now(found, projects, Ending.MOVED, now)
    made = Allocation.objects.bulk_create(
        Allocation(
            organization=organization,
            block=block,
            capacity_kw=block.capacity_kw,
            effective_from=first_day(target, now),
        )
        for block in blocks
    )
    into = [allocation.public_id for allocation in made]
    record_ending("capacity.move", found, reason=reason, to=target.code, into=into)
    return made


def _lock_uncancelled(
    allocations: Collection[Allocation],
) -> tuple[list[Allocation], dict[UUID, Project]]:
    """Lock like `lock_live`, and refuse what is cancelled: handed on it would have no end."""
    found, projects = lock_live(allocations)
    if any(allocation.effective_to is not None for allocation in found):
        raise AllocationsRefused(reason="Some of these are cancelled already. Leave them out.")
    return found, projects


def _projects_of(allocations: Collection[Allocation]) -> set[UUID]:
    ids = [allocation.pk for allocation in allocations]
    rows = Allocation.objects.filter(pk__in=ids)
    return set(rows.values_list("block__project_id", flat=True))
