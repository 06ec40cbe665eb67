"""Allocate what was reserved, and what that writes."""

from datetime import date, datetime

from apps.billing.services import checkout
from apps.capacity.models import Allocation, Project, Reservation
from apps.capacity.selectors.projects import day_of
from apps.capacity.services import counting, entries
from apps.core.db import inside_transaction
from apps.tenants.services import audit


@inside_transaction
def allocate(*, project: Project, reservation: Reservation, now: datetime) -> list[Allocation]:
    """Allocate the blocks that a locked reservation holds, one allocation for each."""
    blocks = counting.allocate_held_blocks(project, reservation)
    assert blocks, "it holds blocks until its status says that it does not"
    allocations = Allocation.objects.bulk_create(
        Allocation(
            organization=reservation.organization,
            block=block,
            capacity_kw=block.capacity_kw,
            reservation=reservation,
            effective_from=first_day(project, now),
        )
        for block in blocks
    )
    reservation.status, reservation.ended_at = Reservation.Status.ALLOCATED, now
    reservation.save(
        update_fields=["status", "ended_at", "paid_at", "payment", "offline_reference"]
    )
    entries.end_offer(reservation, now)
    checkout.call_off(subject_id=reservation.pk)
    audit.record(
        action="capacity.allocate",
        organization=reservation.organization,
        object_id=reservation.public_id,
        after={"project": project.code, "blocks": len(blocks)},
    )
    return allocations


def first_day(project: Project, now: datetime) -> date:
    """Return the day from which an allocation of now counts: today, or the project's first."""
    today = day_of(now)
    return max(today, project.starts_on) if project.starts_on else today
