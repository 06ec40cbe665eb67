"""What a certificate says: which blocks of a project are an organization's, and since when."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from apps.capacity.models import Allocation, Reservation
from apps.capacity.selectors.holdings import allocations_of
from apps.capacity.selectors.projects import NOTHING, day_of
from apps.core.errors import NotFound
from apps.tenants.models import Organization

LARGEST_PDF = 500  # blocks that are named: a web process is busy for a second


def allocation_facts(
    organization: Organization, allocation: Allocation, now: datetime
) -> dict[str, Any]:
    """Return what the certificate of one allocation shows."""
    rows = allocations_of(organization, now).filter(pk=allocation.pk)
    return _facts(organization, rows, allocation.public_id, now)


def reservation_facts(
    organization: Organization, reservation: Reservation, now: datetime
) -> dict[str, Any]:
    """
    Return what the certificate of all that a reservation brought shows.

    :raises NotFound: if it has brought nothing.
    """
    rows = allocations_of(organization, now).filter(reservation=reservation)
    return _facts(organization, rows, reservation.public_id, now)


def _facts(
    organization: Organization, rows: QuerySet[Any], number: str, now: datetime
) -> dict[str, Any]:
    found = list(rows.order_by("block__position", "block_id")[: LARGEST_PDF + 1])
    if not found:
        raise NotFound
    his = rows.filter(standing__in=["active", "ending"])
    total: Decimal = his.aggregate(kw=Sum("capacity_kw"))["kw"] or NOTHING
    return {
        "organization": organization,
        "project": found[0].block.project,
        "number": number,
        "issued_on": day_of(now),
        "allocations": found[:LARGEST_PDF],
        "is_longer": len(found) > LARGEST_PDF,
        "capacity_kw": total,  # on that day
    }
