"""Read the waiting lists of projects: who is next, and where a customer stands."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import (
    Case,
    CharField,
    F,
    Func,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)

from apps.capacity.models import Project, Reservation, WaitlistEntry
from apps.capacity.selectors.picking import Wish
from apps.core import paging
from apps.tenants.models import Organization

Status = WaitlistEntry.Status
ALIVE = (Status.WAITING, Status.OFFERED)


def in_line(project: Project) -> QuerySet[WaitlistEntry]:
    """Return who waits, the next one first, with the organizations. The web sees only its own."""
    waiting = WaitlistEntry.objects.filter(project=project, status=Status.WAITING)
    return waiting.select_related("organization").order_by("-comes_first", "created_at", "id")


def entries_of(organization: Organization, now: datetime) -> QuerySet[WaitlistEntry]:
    """
    Return where the organization waits or has waited, with projects and offers.

    `position` is 1 for the next one, and None for who does not wait. `standing` is the status
    as it is now: an offer past its window has lapsed, written down or not.
    """
    rows = WaitlistEntry.objects.filter(organization=organization)
    is_past = Q(status=Status.OFFERED, reservation__hold_expires_at__lte=now)
    lapsed = When(is_past, then=Value(Status.LAPSED.value))
    # A function of the database: others who wait are hidden from the web by the walls.
    place = Func(F("pk"), function="capacity_place_in_line", output_field=IntegerField())
    return rows.select_related("project", "reservation", "user").annotate(
        standing=Case(lapsed, default=F("status"), output_field=CharField()),
        position=Case(When(status=Status.WAITING, then=place), output_field=IntegerField()),
    )


def waits_for(organization: Organization, project: Project, now: datetime) -> bool:
    """Tell whether the organization stands in the line of a project, or has an offer of it."""
    alive = WaitlistEntry.objects.filter(
        organization=organization, project=project, status__in=ALIVE
    )
    return alive.exclude(status=Status.OFFERED, reservation__hold_expires_at__lte=now).exists()


def wish_of(entry: WaitlistEntry | Reservation) -> Wish:
    """Return what was asked for."""
    return Wish(
        kw=entry.requested_kw,
        mode=entry.mode,
        allow_partial=entry.allow_partial,
        tolerance_kw=entry.tolerance_kw,
        max_overshoot_kw=entry.max_overshoot_kw,
    )


WAITING_COLUMNS = [
    *("entry", "project", "project_name", "status", "position", "requested_kw", "mode"),
    *("allow_partial", "max_overshoot_kw", "created_at", "offered_at", "offered_kw"),
    *("offer_expires_at", "reservation", "ended_at"),
]


def waiting_rows(entries: QuerySet[WaitlistEntry]) -> Iterator[tuple[object, ...]]:
    """Yield a row of a file for each entry of `entries_of`, as WAITING_COLUMNS says."""
    for one in paging.every(entries):
        offer = one.reservation
        yield (
            *(one.public_id, one.project.public_id, one.project.name),
            *(one.standing, one.position),  # type: ignore[attr-defined]  # annotated
            *(one.requested_kw, one.mode, one.allow_partial, one.max_overshoot_kw),
            *(one.created_at, one.offered_at, offer and offer.capacity_kw),
            *(offer and offer.hold_expires_at, offer and offer.public_id, one.ended_at),
        )
