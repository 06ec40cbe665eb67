"""Files of capacity: their columns and rows, newest first."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from apps.capacity.models import Allocation, CapacityBlock, Project, Reservation
from apps.capacity.selectors.block_map import is_own
from apps.capacity.selectors.projects import bars_of, fee_of
from apps.core import paging

PROJECT_COLUMNS = [
    "project",
    "code",
    "name",
    "place",
    "status",
    "capacity_kw",
    "allocated_kw",
    "held_kw",
    "free_kw",
    "unoffered_kw",
    "currency",
    "fee",
    "credits_per_kwh",
]
RESERVATION_COLUMNS = [
    "reservation",
    "project",
    "status",
    "requested_kw",
    "capacity_kw",
    "mode",
    "created_at",
    "hold_expires_at",
    "paid_at",
    "ended_at",
]
ALLOCATION_COLUMNS = [
    "allocation",
    "project",
    "block",
    "capacity_kw",
    "status",
    "effective_from",
    "effective_to",
    "ending",
    "reservation",
    "currency",
    "monthly_fee",
]


BLOCK_COLUMNS = ["block", "project", "serial", "capacity_kw", "status", "yours"]


def block_rows(project: Project, blocks: QuerySet[CapacityBlock]) -> Iterator[tuple[object, ...]]:
    """Yield a row of a file for each block of `blocks_seen_by`, as BLOCK_COLUMNS says."""
    for one in paging.every(blocks):
        standing: str = one.standing  # type: ignore[attr-defined]  # annotated
        yield (
            *(one.public_id, project.code, one.serial, one.capacity_kw, standing),
            "yes" if is_own(one) else "no",
        )


def project_rows(projects: QuerySet[Project]) -> Iterator[tuple[object, ...]]:
    """Yield a row of a file for each project of `shown_projects`, as PROJECT_COLUMNS says."""
    for one in paging.every(projects):
        bars = bars_of(one)
        yield (
            *(one.public_id, one.code, one.name, one.place, one.status),
            *(bars.total_kw, bars.allocated_kw, bars.held_kw, bars.free_kw, bars.unoffered_kw),
            *(one.currency, one.fee, one.credits_per_kwh),  # type: ignore[attr-defined]  # annotated
        )


def reservation_rows(reservations: QuerySet[Reservation]) -> Iterator[tuple[object, ...]]:
    """Yield a row of a file for each of `reservations_of`, as RESERVATION_COLUMNS says."""
    for one in paging.every(reservations):
        yield (
            *(one.public_id, one.project.code, one.standing),  # type: ignore[attr-defined]
            *(one.requested_kw, one.capacity_kw, one.mode),
            *(_written(one.created_at), _written(one.hold_expires_at), _written(one.paid_at)),
            _written(one.ended_at),
        )


def allocation_rows(allocations: QuerySet[Allocation]) -> Iterator[tuple[object, ...]]:
    """Yield a row of a file for each of `allocations_of`, as ALLOCATION_COLUMNS says."""
    for one in paging.every(allocations):
        project, fee = one.block.project, one.fee  # type: ignore[attr-defined]  # annotated
        yield (
            *(one.public_id, project.code, one.block.serial, one.capacity_kw),
            *(one.standing, one.effective_from, one.effective_to, one.ending),  # type: ignore[attr-defined]
            one.reservation.public_id if one.reservation else "",
            *(project.currency, fee_of(one.capacity_kw, fee)),
        )


def _written(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
