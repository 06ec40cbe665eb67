"""
Offer what is free to those who wait: first come, first served, and nobody is overtaken.

Whoever is next gets an offer as soon as his wish can be served. Until enough is free for it,
what is free stays for him, and nobody behind him is served, however little he asks for. Passed
over, keeping his place, is only whom more kW would not help: enough is free, and the blocks do
not fit his wish, or he may not have as much of the project, or all its blocks would be too few.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.capacity.errors import (
    FitTooFine,
    InsufficientCapacity,
    NoExactFit,
    OvershootNotAgreed,
    ProjectNotOpen,
    TooManyBlocks,
)
from apps.capacity.models import Project, Reservation, WaitlistEntry
from apps.capacity.selectors.amounts import written
from apps.capacity.selectors.picking import Choice
from apps.capacity.selectors.projects import share_of
from apps.capacity.selectors.waiting import in_line, wish_of
from apps.capacity.services import counting
from apps.capacity.services.locking import lock_project
from apps.capacity.services.reserving import (
    check_may_take,
    check_open,
    hold_choice,
    take_stock_and_choose,
)
from apps.capacity.services.waiting import withdraw
from apps.core.clock import database_now, workers_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.core.sweeps import each_for_itself
from apps.tenants.errors import OrganizationNotActive
from apps.tenants.services import audit

Status = WaitlistEntry.Status
DO_NOT_FIT = (OvershootNotAgreed, NoExactFit, FitTooFine, TooManyBlocks)
FRONT = 100  # of the line: so many are looked at for one offer


@dataclass
class Served:
    """Who is served next, with which blocks, and who before him was not."""

    entry: WaitlistEntry
    choice: Choice
    passed_over: list[UUID] = field(default_factory=list)


def offer_blocks(project_id: UUID) -> int:
    """
    Offer what is free of a project to those who wait for it; return for how many that was done.

    Each in a transaction of his own, so that two organizations are never locked at once.
    """
    served = 0
    while offer_to_next(project_id):
        served += 1
    return served


def sweep() -> int:
    """Offer what is free of every project for which somebody waits; return for how many."""
    waited_for = Project.objects.filter(waiting_count__gt=0).order_by("pk")
    return each_for_itself(offer_blocks, waited_for.values_list("pk", flat=True))


@transaction.atomic
def offer_to_next(project_id: UUID) -> bool:
    """Serve who is next, if what is free serves him; tell whether to look at the next one."""
    project, now = lock_project(project_id), workers_now()
    try:
        check_open(project, now)
        served = _next_served(project, now)
    except (ProjectNotOpen, InsufficientCapacity):
        return False
    if served is None:
        return False
    try:
        check_may_take(project, served.entry.organization, served.choice.kw, now)
    except OrganizationNotActive:
        withdraw(project, served.entry, now)
        return True
    _offer(project, served, now)
    return True


def _next_served(project: Project, now: datetime) -> Served | None:
    """
    Return who is next of those whose wish what is free fits.

    :raises InsufficientCapacity: if the next one has to wait for more.
    """
    passed_over: list[UUID] = []
    for entry in in_line(project)[:FRONT]:
        choice = _choice_for(project, entry, now)
        if choice is not None:
            return Served(entry, choice, passed_over)
        passed_over.append(entry.pk)
    return None


def _choice_for(project: Project, entry: WaitlistEntry, now: datetime) -> Choice | None:
    """
    Return the blocks that serve an entry, or None if more kW would not help it.

    :raises InsufficientCapacity: if it has to wait for more.
    """
    wish, share = wish_of(entry), share_of(project, entry.organization, now)
    try:
        choice = take_stock_and_choose(project, wish, now)
    except DO_NOT_FIT:
        return None
    except InsufficientCapacity:
        # Blocks may have been retired, or his cap lowered, since he joined: whoever waits for
        # what cannot come must not keep all others waiting.
        if wish.least_kw <= project.blocks_kw and share.allows(wish.least_kw):
            raise
        return None
    return choice if share.allows(choice.kw) else None


@inside_transaction
def _offer(project: Project, served: Served, now: datetime) -> None:
    """Hold the blocks for the window of offers, or allocate them if they cost nothing."""
    entry, until = served.entry, now + timedelta(hours=project.offer_hours)
    reservation = hold_choice(
        entry.organization, project, served.choice, user=None, until=until, now=now
    )
    entry.reservation, entry.offered_at, entry.status = reservation, now, Status.OFFERED
    if reservation.status == Reservation.Status.ALLOCATED:
        entry.status, entry.ended_at = Status.TAKEN, now
    entry.mail_due_at = database_now()
    entry.save(update_fields=["reservation", "offered_at", "status", "ended_at", "mail_due_at"])
    WaitlistEntry.objects.filter(pk__in=served.passed_over).update(passed_over_at=now)
    counting.count_waiting(project, -1)
    enqueue("core.send_mails", queue="capacity_offers")
    audit.record(
        action="capacity.offer",
        organization=entry.organization,
        object_id=entry.public_id,
        after={
            "reservation": reservation.public_id,
            "capacity_kw": written(reservation.capacity_kw),
            "until": until.isoformat(),
        },
    )


def withdraw_the_closed() -> int:
    """Let organizations wait no more that are closed or deactivated; return how many entries."""
    closed = WaitlistEntry.objects.filter(status=Status.WAITING, organization__is_active=False)
    return each_for_itself(
        lambda pair: _withdraw_closed(*pair), closed.values_list("pk", "project_id")
    )


@transaction.atomic
def _withdraw_closed(entry_id: UUID, project_id: UUID) -> bool:
    project = lock_project(project_id)
    entry = in_line(project).filter(pk=entry_id, organization__is_active=False).first()
    if entry is None:
        return False
    withdraw(project, entry, workers_now())
    return True
