"""What capacity of the demo can show: two projects, some of whose blocks customers have."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.capacity.models import Project
from apps.capacity.selectors.picking import Wish
from apps.capacity.selectors.projects import day_of
from apps.capacity.services import blocks, projects
from apps.capacity.services.ending import cancel_allocations
from apps.capacity.services.reserving import reserve
from apps.capacity.services.settling import settle_offline
from apps.core import clock
from apps.tenants.models import Organization
from demo.generation import read_a_year


def offer_projects(now: datetime, organizations: Mapping[str, Organization]) -> None:
    """Offer a roof in blocks of one size and a field of several, allocate some, read a year."""
    begin = now - timedelta(days=400)
    with clock.moved_to(begin):
        roof = open_project(
            *(begin, [("R-", 60, "1")]),
            code="north-roof",
            name="North roof",
            place="Hamburg",
            capacity_kw=Decimal(60),
        )
        field = open_project(
            *(begin, [("S-", 20, "2.5"), ("M-", 10, "5"), ("L-", 5, "10")]),
            code="harbour-field",
            name="Harbour field",
            place="Bremerhaven",
            capacity_kw=Decimal(200),
        )
    for days, name, project, kw in (
        (58, "acme", roof, 12),
        (40, "acme", field, 10),
        (2, "green-neighbours", roof, 5),
    ):
        with clock.moved_to(now - timedelta(days=days)):
            reservation = reserve(
                organization=organizations[name], project=project, wish=Wish(kw=Decimal(kw))
            )
            settle_offline(reservation=reservation, reference=f"Transfer of day {days}")
            if days == 40:  # half of it ends when the notice is over
                half = list(reservation.allocations.order_by("block__position")[:2])
                cancel_allocations(organization=organizations[name], allocations=half)
    read_a_year(now, roof)


def open_project(begin: datetime, sizes: Sequence[tuple[str, int, str]], **terms: Any) -> Project:
    """Offer a project with a rate, and so many blocks of each size, from that moment on."""
    project = projects.create_project(**terms, notice_days=60)
    projects.set_rate(
        project=project,
        effective_from=day_of(begin),
        fee=450,
        credits_per_kwh=Decimal(2),
    )
    for prefix, count, kw in sizes:
        blocks.create_blocks(
            project=project,
            range_=blocks.Range(prefix, 1, count, digits=2),
            capacity_kw=Decimal(kw),
        )
    return projects.change_project(project, status=Project.Status.OPEN)
