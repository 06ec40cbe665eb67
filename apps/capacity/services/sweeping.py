"""What the clock does for capacity: end unpaid holds, and allocations whose notice is over."""

from uuid import UUID

from django.db import transaction

from apps.capacity.models import Allocation, Reservation
from apps.capacity.selectors.projects import day_of
from apps.capacity.services.ending import record_ending, release
from apps.capacity.services.locking import lock_project, lock_reservation
from apps.capacity.services.reserving import end_reservation
from apps.core.clock import workers_now
from apps.core.sweeps import each_for_itself

AT_ONCE = 500


def expire_reservations(*, limit: int = AT_ONCE) -> int:
    """Write down that reservations have expired, and free what they held; return how many."""
    past = Reservation.objects.filter(
        status=Reservation.Status.HELD, hold_expires_at__lte=workers_now()
    )
    return each_for_itself(_expire, past.order_by("hold_expires_at")[:limit])


@transaction.atomic
def _expire(reservation: Reservation) -> bool:
    project, locked = lock_reservation(reservation)
    now = workers_now()
    # Looked at again under the lock: it may have been paid meanwhile.
    if locked.status != Reservation.Status.HELD or locked.hold_expires_at > now:
        return False
    end_reservation(project, locked, Reservation.Status.EXPIRED, now)
    return True


def end_due_allocations(*, limit: int = AT_ONCE) -> int:
    """End allocations whose notice is over, and free their blocks; return how many."""
    due = Allocation.objects.filter(released_at=None, effective_to__lte=day_of(workers_now()))
    owners = due.order_by("effective_to").values_list("organization_id", "block__project_id")
    return each_for_itself(lambda pair: _end_due(*pair, limit=limit), set(owners[:limit]))


@transaction.atomic
def _end_due(organization_id: UUID, project_id: UUID, *, limit: int) -> int:
    """End those that one organization has of one project."""
    project, now = lock_project(project_id), workers_now()
    due = Allocation.objects.filter(
        organization=organization_id,
        block__project=project_id,
        released_at=None,
        effective_to__lte=day_of(now),
    )
    found = list(due.select_related("block", "organization")[:limit])
    if found:
        release(found, {project_id: project}, now)
        record_ending("capacity.end", found)
    return len(found)
