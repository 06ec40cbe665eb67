"""Read what an organization has reserved and what is allocated to it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Sum, Value, When

from apps.capacity.models import Allocation, CapacityBlock, Project, Reservation
from apps.capacity.selectors.blocks import blocks_held_for
from apps.capacity.selectors.projects import (
    day_of,
    end_of_notice,
    fee_of,
    rates_on,
    with_rates,
)
from apps.core.clock import workers_now
from apps.core.errors import NotFound
from apps.tenants.models import Organization

MOST_PIECES = 100  # blocks of a reservation that its page names


def reservations_of(organization: Organization, now: datetime) -> QuerySet[Reservation]:
    """
    Return the organization's reservations, with their projects and today's rates.

    `standing` is the status as it is now: one past its time has expired, written down or not.
    """
    rows = Reservation.objects.filter(organization=organization)
    rows = rows.select_related("project", "payment")
    is_past = Q(status=Reservation.Status.HELD, hold_expires_at__lte=now)
    expired = When(is_past, then=Value(Reservation.Status.EXPIRED.value))
    standing = Case(expired, default=F("status"), output_field=CharField())
    return with_rates(rows.annotate(standing=standing), now, "project")


def allocations_of(organization: Organization, now: datetime) -> QuerySet[Allocation]:
    """
    Return all that is or was allocated to the organization, with blocks, projects and rates.

    `standing` says how each is today: upcoming, active, ending (under notice) or ended.
    """
    rows = Allocation.objects.filter(organization=organization)
    rows = rows.select_related("block__project", "reservation__payment")
    today = day_of(now)
    standing = Case(
        When(~Q(released_at=None) | Q(effective_to__lte=today), then=Value("ended")),
        When(effective_to__isnull=False, then=Value("ending")),
        When(effective_from__gt=today, then=Value("upcoming")),
        default=Value("active"),
        output_field=CharField(),
    )
    return with_rates(rows.annotate(standing=standing), now, "block__project")


def reservation_of(organization: Organization, public_id: str, now: datetime) -> Reservation:
    """
    Return one of the organization's reservations, as `reservations_of` has it.

    :raises NotFound: if it has none of this id.
    """
    row_id = Reservation.read_id(public_id)
    found = reservations_of(organization, now).filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return found


def allocation_of(organization: Organization, public_id: str, now: datetime) -> Allocation:
    """
    Return one of the organization's allocations, as `allocations_of` has it.

    :raises NotFound: if it has none of this id.
    """
    (found,) = allocations_named(allocations_of(organization, now), [public_id])
    return found


def allocations_named(
    allocations: QuerySet[Allocation], public_ids: Collection[str]
) -> list[Allocation]:
    """
    Return those of an organization's allocations that are named, the oldest block first.

    :raises NotFound: if one of them is not among these.
    """
    ids = {row_id for public_id in public_ids if (row_id := Allocation.read_id(public_id))}
    found = list(allocations.filter(pk__in=ids).order_by("block__position", "block_id"))
    if len(found) != len(set(public_ids)):
        raise NotFound
    return found


def pieces_of(reservation: Reservation) -> tuple[list[CapacityBlock], int]:
    """Return the oldest blocks that a reservation holds or has brought, and how many it has."""
    if reservation.status == Reservation.Status.ALLOCATED:
        brought = reservation.allocations.values("block")
        blocks = CapacityBlock.objects.filter(pk__in=brought)
    else:
        blocks = blocks_held_for(reservation)
    return list(blocks.order_by("position", "id")[:MOST_PIECES]), blocks.count()


def last_day_by_notice(allocation: Allocation, now: datetime) -> date | None:
    """
    Return the last day that an allocation has if it is cancelled now; None: not even one.

    What ends before, stays so.
    """
    ends = max(end_of_notice(allocation.block.project, now), allocation.effective_from)
    if allocation.effective_to is not None:
        ends = min(ends, allocation.effective_to)
    return ends - timedelta(days=1) if ends > allocation.effective_from else None


@dataclass(frozen=True)
class Holding:
    """What an organization has of one project, and what that costs a month by today's rate."""

    project: Project
    blocks: int
    capacity_kw: Decimal
    monthly_fee: int | None  # minor units of the project's currency; None without a rate


def holdings_of(organization: Organization, now: datetime) -> Iterator[Holding]:
    """Yield what is allocated now, grouped by project."""
    live = Allocation.objects.filter(organization=organization, released_at=None).order_by()
    sums = live.values("block__project").annotate(blocks=Count("pk"), kw=Sum("capacity_kw"))
    by_project = {row["block__project"]: row for row in sums}
    projects = list(Project.objects.filter(pk__in=by_project).order_by("name", "id"))
    rates = rates_on(projects, day_of(now))
    for project in projects:
        row, rate = by_project[project.pk], rates.get(project.pk)
        fee = fee_of(row["kw"], rate.fee if rate else None)
        yield Holding(project, row["blocks"], row["kw"], fee)


def live_with(allocation: Allocation) -> list[Allocation]:
    """Return what its organization has of its project and has not cancelled, itself included."""
    rows = Allocation.objects.filter(
        organization_id=allocation.organization_id,
        block__project_id=allocation.block.project_id,
        released_at=None,
        effective_to=None,
    )
    return list(rows)


def blocks_had_by(organization: Organization) -> int:
    """Return how many blocks are allocated to an organization, or held for it now."""
    held = Reservation.objects.filter(
        organization=organization,
        status=Reservation.Status.HELD,
        hold_expires_at__gt=workers_now(),
    )
    blocks = CapacityBlock.objects.filter(held_for__in=held.values("pk"))
    live = Allocation.objects.filter(organization=organization, released_at=None)
    return blocks.count() + live.count()
