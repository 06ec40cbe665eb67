"""Read projects: what is total, allocated, held and free of them, and what they cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.capacity.models import (
    Allocation,
    CapacityBlock,
    ClassCap,
    Customer,
    Project,
    ProjectRate,
    Reservation,
)
from apps.capacity.models.projects import kilowatts
from apps.core.clock import workers_now
from apps.core.errors import NotFound
from apps.tenants.models import Organization

NOTHING = Decimal("0.000")
MOST_RATES = 24  # of a project, on its page


def with_holds(projects: QuerySet[Project], now: datetime) -> QuerySet[Project]:
    """Tell of each project in `live_held_kw` what is held now, in the same statement."""
    held = CapacityBlock.objects.filter(
        project=OuterRef("pk"), state=CapacityBlock.State.HELD, held_until__gt=now
    )
    summed = held.order_by().values("project").annotate(kw=Sum("capacity_kw")).values("kw")
    return projects.annotate(
        live_held_kw=Coalesce(Subquery(summed), NOTHING, output_field=kilowatts())
    )


def with_rates[M: Model](rows: QuerySet[M], now: datetime, project: str = "pk") -> QuerySet[M]:
    """Tell of each row in `fee` and `credits_per_kwh` what today's rate is, if there is one."""
    rates = ProjectRate.objects.filter(
        project=OuterRef(project), effective_from__lte=day_of(now)
    ).order_by("-effective_from")
    annotated: QuerySet[Any] = rows.annotate(
        fee=Subquery(rates.values("fee")[:1]),
        credits_per_kwh=Subquery(rates.values("credits_per_kwh")[:1]),
    )
    return annotated


def shown_projects(now: datetime | None = None) -> QuerySet[Project]:
    """Return the projects that customers see, with what is held of them and their rates now."""
    now = now or workers_now()
    shown = Project.objects.exclude(status=Project.Status.DRAFT)
    return with_rates(with_holds(shown, now), now)


def shown_project(name: str) -> Project:
    """
    Return the project of this id or code, with what is held of it and its rate now.

    :raises NotFound: if there is none, or it is a draft.
    """
    project_id = Project.read_id(name)
    found = shown_projects().filter(Q(pk=project_id) if project_id else Q(code=name)).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Bars:
    """How the capacity of a project is divided, in kW: the four parts add up to the total."""

    total_kw: Decimal
    allocated_kw: Decimal
    held_kw: Decimal
    free_kw: Decimal
    unoffered_kw: Decimal  # of the plant, in no block


def bars_of(project: Project) -> Bars:
    """Return how a project of `with_holds` is divided."""
    held: Decimal = project.live_held_kw  # type: ignore[attr-defined]  # annotated
    return Bars(
        total_kw=project.capacity_kw,
        allocated_kw=project.allocated_kw,
        held_kw=held,
        free_kw=project.blocks_kw - project.allocated_kw - held,
        unoffered_kw=project.capacity_kw - project.blocks_kw,
    )


def available_capacity(project: Project) -> Decimal:
    """Return the kW that can be had now: what is neither allocated nor held, in one statement."""
    return bars_of(with_holds(Project.objects.filter(pk=project.pk), workers_now()).get()).free_kw


def rates_on(projects: Iterable[Project], day: date) -> dict[UUID, ProjectRate]:
    """Return the rate of each project that holds on this day; none of those before their first."""
    rates = ProjectRate.objects.filter(project__in=projects, effective_from__lte=day)
    latest = rates.order_by("project_id", "-effective_from").distinct("project_id")
    return {rate.project_id: rate for rate in latest}


def rate_on(project: Project, day: date) -> ProjectRate | None:
    """Return what holds on this day, or None before the first rate."""
    return rates_on([project], day).get(project.pk)


def rates_of(project: Project) -> QuerySet[ProjectRate]:
    """Return the rates of a project, the latest first, as many as a page shows."""
    return project.rates.order_by("-effective_from")[:MOST_RATES]


def monthly_fee(capacity_kw: Decimal, fee: int) -> int:
    """Return what so many kW cost a month, at `fee` minor units per kW, rounded half up once."""
    return int((capacity_kw * fee).quantize(Decimal(1), ROUND_HALF_UP))


def fee_of(capacity_kw: Decimal, fee: int | None) -> int | None:
    """Return what so many kW cost a month at a rate's fee; None where no rate is known."""
    return None if fee is None else monthly_fee(capacity_kw, fee)


def day_of(moment: datetime) -> date:
    """Return the day, UTC: that of every date of capacity."""
    return moment.astimezone(UTC).date()


def end_of_notice(project: Project, now: datetime) -> date:
    """Return the first day that is no longer the customer's if he cancels now."""
    return day_of(now) + timedelta(days=project.notice_days)


def has_ended(project: Project, now: datetime) -> bool:
    """Tell whether its last day is past: nothing that begins now would ever generate."""
    return project.ends_on is not None and day_of(now) > project.ends_on


def fee_on(project: Project, capacity_kw: Decimal, day: date) -> int:
    """Return what so many kW cost a month by the rate of this day; 0 without any rate."""
    rate = rate_on(project, day)
    return monthly_fee(capacity_kw, rate.fee) if rate else 0


@dataclass(frozen=True)
class Share:
    """What a customer has of a project, in kW, and may have; None: no cap."""

    has_kw: Decimal
    cap_kw: Decimal | None

    def allows(self, more_kw: Decimal) -> bool:
        """Tell whether he may have as much more."""
        return self.cap_kw is None or self.has_kw + more_kw <= self.cap_kw


def share_of(project: Project, organization: Organization, now: datetime) -> Share:
    """Return what an organization has of a project, with what it holds, and its cap."""
    live = Allocation.objects.filter(
        organization=organization, block__project=project, released_at=None
    )
    held = Reservation.objects.filter(
        organization=organization,
        project=project,
        status=Reservation.Status.HELD,
        hold_expires_at__gt=now,
    )
    has = [rows.aggregate(kw=Sum("capacity_kw"))["kw"] or NOTHING for rows in (live, held)]
    return Share(has[0] + has[1], cap_of(project, organization))


def cap_of(project: Project, organization: Organization) -> Decimal | None:
    """Return the most that an organization may have of a project: its class's cap, or all's."""
    customer_class = Customer.objects.filter(organization=organization).values("customer_class")
    own = ClassCap.objects.filter(project=project, customer_class__in=customer_class).first()
    return own.customer_cap_kw if own else project.customer_cap_kw
