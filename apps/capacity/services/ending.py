"""End allocations: with notice by the customer, at once by staff; the sweep ends what is due."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.capacity.errors import AllocationsRefused
from apps.capacity.models import Allocation, Project
from apps.capacity.selectors.amounts import total_kw
from apps.capacity.selectors.projects import day_of, end_of_notice
from apps.capacity.services import counting
from apps.capacity.services.locking import lock_projects
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.tenants.models import Organization
from apps.tenants.services import audit

Ending = Allocation.Ending
MOST_AT_ONCE = 1000


@transaction.atomic
def cancel_allocations(
    *, organization: Organization, allocations: Collection[Allocation]
) -> list[Allocation]:
    """
    Let allocations end when the notice of their projects is over; what ends already, stays so.

    Without any notice they end now. Their blocks are free for others from that day on.

    :raises AllocationsRefused: if there are none or too many, or one has ended.
    """
    found, projects = lock_live(allocations, organization=organization)
    now = workers_now()
    for allocation in found:
        if allocation.effective_to is None:
            project = projects[allocation.block.project_id]
            _end_on(allocation, end_of_notice(project, now), Ending.CANCELLED)
    release(found, projects, now)
    ends = sorted({str(allocation.effective_to) for allocation in found})
    record_ending("capacity.cancel", found, effective_to=ends)
    return found


@transaction.atomic
def withdraw_allocations(*, allocations: Collection[Allocation], reason: str) -> list[Allocation]:
    """
    End allocations of one organization today, for staff, whatever notice they had.

    :raises AllocationsRefused: if there are none or too many, one has ended, or they belong to
        several organizations.
    """
    found, projects = lock_live(allocations)
    end_now(found, projects, Ending.WITHDRAWN, workers_now())
    record_ending("capacity.withdraw", found, reason=reason)
    return found


@inside_transaction
def lock_live(
    allocations: Collection[Allocation], *, organization: Organization | None = None
) -> tuple[list[Allocation], dict[UUID, Project]]:
    """
    Lock the projects of allocations; return these as they are now, and the projects.

    :raises AllocationsRefused: if there are none or too many, one has ended, or they belong to
        several organizations.
    """
    if not 1 <= len(allocations) <= MOST_AT_ONCE:
        raise AllocationsRefused(reason=f"Choose from 1 to {MOST_AT_ONCE} allocations.")
    ids = [allocation.pk for allocation in allocations]
    rows = Allocation.objects.filter(pk__in=ids)
    projects = lock_projects(set(rows.values_list("block__project_id", flat=True)))
    found = list(rows.filter(released_at=None).select_related("block", "organization"))
    if len(found) != len(set(ids)):
        raise AllocationsRefused(reason="One of these has ended. Look at them again.")
    owners = {allocation.organization_id for allocation in found}
    if len(owners) > 1 or (organization and owners != {organization.pk}):
        raise AllocationsRefused(reason="These belong to several organizations. Choose one's.")
    return sorted(found, key=lambda one: (one.block.position, one.block.pk)), projects


@inside_transaction
def end_now(
    found: Sequence[Allocation],
    projects: dict[UUID, Project],
    ending: Allocation.Ending,
    now: datetime,
) -> None:
    """End allocations with this day not theirs any more, and free their blocks."""
    for allocation in found:
        _end_on(allocation, day_of(now), ending)
    release(found, projects, now)


@inside_transaction
def release(found: Sequence[Allocation], projects: dict[UUID, Project], now: datetime) -> None:
    """Write down how allocations end, and free the blocks of those that are over by now."""
    over = [one for one in found if _is_over(one, now)]
    for allocation in over:
        allocation.released_at = now
    Allocation.objects.bulk_update(found, ["effective_to", "ending", "released_at"])
    for project in projects.values():
        of_project = [one for one in over if one.block.project_id == project.pk]
        if of_project:
            counting.free_allocated_blocks(project, of_project)


def _is_over(allocation: Allocation, now: datetime) -> bool:
    """Tell whether its last day is past, or there will never be a first one."""
    end = allocation.effective_to
    return end is not None and (end <= day_of(now) or end <= allocation.effective_from)


def _end_on(allocation: Allocation, day: date, ending: Allocation.Ending) -> None:
    """Let it end on that day; one that ends before, or has while nobody looked, stays so."""
    ends = max(day, allocation.effective_from)
    if allocation.effective_to is None or ends < allocation.effective_to:
        allocation.effective_to, allocation.ending = ends, ending


def record_ending(
    action: str, found: Sequence[Allocation], *, reason: str = "", **after: Any
) -> None:
    """Write down what was done to allocations of one organization."""
    audit.record(
        action=action,
        organization=found[0].organization,
        reason=reason,
        after={
            "allocations": [allocation.public_id for allocation in found],
            "capacity_kw": str(total_kw(found)),
            **after,
        },
    )
