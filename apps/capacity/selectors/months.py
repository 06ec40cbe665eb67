"""Read what an organization generated, by months: for pages and files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from apps.capacity.models import GenerationShare, Project
from apps.capacity.selectors.generation import standing_readings
from apps.core import paging
from apps.tenants.models import Organization

# Of a period that was corrected, the shares of the newest reading that is divided.
STANDS = Q(reading__corrected_by=None) | Q(reading__corrected_by__shared_at=None)
POSTED = Q(posted_at__isnull=False)
SHARE_COLUMNS = [
    *("share", "project", "block", "allocation", "starts_on", "ends_on", "capacity_kw"),
    *("percent", "energy_wh", "credits", "posted_at", "stands", "reading", "reading_wh"),
]


@dataclass(frozen=True)
class Sums:
    """What was generated and posted; a month is that of a period's first day."""

    energy_wh: int = 0
    credits: int = 0  # posted, with what corrections gave and took
    waiting: int = 0  # shares that are not posted yet


@dataclass(frozen=True)
class ProjectSums:
    """What an organization generated in a project in a month."""

    project: Project
    blocks: int
    own: Sums
    project_wh: int  # of everybody
    percent: Decimal | None  # of it; None where the project generated nothing


def shares_in(organization: Organization, month: date | None = None) -> QuerySet[GenerationShare]:
    """Return the shares of a month, or all; `stands` says whether no correction replaced one."""
    rows = GenerationShare.objects.filter(organization=organization)
    rows = rows.select_related("reading__project", "allocation__block")
    if month:
        rows = rows.filter(_is_in(month, "reading__starts_on"))
    return rows.annotate(stands=ExpressionWrapper(STANDS, output_field=BooleanField()))


def _is_in(month: date, day: str) -> Q:
    return Q(**{f"{day}__year": month.year, f"{day}__month": month.month})


def months_of(organization: Organization) -> list[date]:
    """Return the first days of the months in which the organization generated, newest first."""
    rows = GenerationShare.objects.filter(organization=organization).order_by()
    months = rows.annotate(month=TruncMonth("reading__starts_on")).values_list("month", flat=True)
    return sorted(months.distinct(), reverse=True)


def year_of(organization: Organization, year: int) -> list[tuple[date, Sums]]:
    """Return the twelve months of a year, in one query."""
    rows = GenerationShare.objects.filter(organization=organization).order_by()
    rows = rows.filter(reading__starts_on__year=year)
    by_month = rows.annotate(month=TruncMonth("reading__starts_on")).values("month")
    found = {row["month"]: _sums_in(row) for row in by_month.annotate(**_sums())}
    months = [date(year, month, 1) for month in range(1, 13)]
    return [(first, found.get(first, Sums())) for first in months]


def projects_in(organization: Organization, month: date) -> list[ProjectSums]:
    """Return what the organization generated in each project, in as many queries for many."""
    rows = GenerationShare.objects.filter(_is_in(month, "reading__starts_on"))
    rows = rows.filter(organization=organization).order_by()
    own = rows.values("reading__project").annotate(
        blocks=Count("allocation__block", distinct=True, filter=STANDS),
        weighted=Sum(F("percent") * F("reading__energy_wh"), filter=STANDS),
        **_sums(),
    )
    by_project = {row["reading__project"]: row for row in own}
    everybody = standing_readings().filter(_is_in(month, "starts_on"), project__in=by_project)
    totals = dict(everybody.order_by().values_list("project").annotate(energy=Sum("energy_wh")))
    projects = Project.objects.filter(pk__in=by_project).order_by("name", "id")
    return [_sums_of(one, by_project[one.pk], totals.get(one.pk, 0)) for one in projects]


def _sums() -> dict[str, Any]:
    return {
        "energy_wh": Sum("energy_wh", filter=STANDS, default=0),
        "credits": Sum("credits", filter=POSTED, default=0),
        "waiting": Count("pk", filter=~POSTED),
    }


def _sums_in(row: Mapping[str, Any]) -> Sums:
    return Sums(energy_wh=row["energy_wh"], credits=row["credits"], waiting=row["waiting"])


def _sums_of(project: Project, row: Mapping[str, Any], project_wh: int) -> ProjectSums:
    """Weigh the readings' percentages by their energy: of one reading it is its own."""
    percent = None
    if project_wh and row["weighted"] is not None:
        percent = (row["weighted"] / project_wh).quantize(Decimal("0.001"))
    return ProjectSums(project, row["blocks"], _sums_in(row), project_wh, percent)


def share_rows(shares: QuerySet[GenerationShare]) -> Iterator[list[object]]:
    """Yield a row of a file for each share of `shares_in`, newest first, as SHARE_COLUMNS says."""
    for one in paging.every(shares):
        reading, allocation = one.reading, one.allocation
        stands: bool = one.stands  # type: ignore[attr-defined]  # annotated
        yield [
            *(one.public_id, reading.project.code, allocation.block.serial, allocation.public_id),
            *(reading.starts_on, reading.ends_on, allocation.capacity_kw),
            *(one.percent, one.energy_wh, one.credits, one.posted_at),
            *("yes" if stands else "no", reading.public_id, reading.energy_wh),
        ]
