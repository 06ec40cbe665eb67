"""How every project stands, for staff: sold, held, free, and how many wait for it."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.capacity.models import Project, WaitlistEntry
from apps.capacity.models.projects import kilowatts
from apps.capacity.selectors.projects import NOTHING, bars_of, with_holds

COLUMNS = [
    *("project", "name", "status", "total_kw", "sold_kw", "held_kw", "free_kw"),
    *("unoffered_kw", "sold_percent", "waiting", "waiting_kw"),
]


def with_waiting(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Tell of each project how many wait for it, and for how many kW, in the same statement."""
    entries = WaitlistEntry.objects.filter(
        project=OuterRef("pk"), status=WaitlistEntry.Status.WAITING
    )
    grouped = entries.order_by().values("project")
    counted = grouped.annotate(waiting=Count("pk")).values("waiting")
    summed = grouped.annotate(kw=Sum("requested_kw")).values("kw")
    return projects.annotate(
        waiting=Coalesce(Subquery(counted), 0, output_field=IntegerField()),
        waiting_kw=Coalesce(Subquery(summed), NOTHING, output_field=kilowatts()),
    )


def project_rows(projects: QuerySet[Project], now: datetime) -> Iterator[tuple[object, ...]]:
    """Yield a line for each project, in the order of COLUMNS; one statement for all of them."""
    rows: QuerySet[Any] = with_waiting(with_holds(projects, now))
    for project in rows:
        bars = bars_of(project)
        sold = (bars.allocated_kw * 100 / bars.total_kw).quantize(Decimal("0.1"))
        yield (
            *(project.code, project.name, project.status),
            *(bars.total_kw, bars.allocated_kw, bars.held_kw, bars.free_kw, bars.unoffered_kw),
            *(sold, project.waiting, project.waiting_kw),
        )
