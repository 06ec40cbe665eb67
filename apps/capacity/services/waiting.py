"""Join the waiting list of a project, and leave it."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from apps.capacity.errors import (
    AlreadyWaiting,
    CapacityIsFree,
    InsufficientCapacity,
    WaitingEnded,
    WishTooLarge,
)
from apps.capacity.models import Project, Reservation, WaitlistEntry
from apps.capacity.selectors.amounts import written
from apps.capacity.selectors.picking import Wish
from apps.capacity.selectors.waiting import ALIVE, wish_of
from apps.capacity.services import counting
from apps.capacity.services.locking import lock_project
from apps.capacity.services.reserving import (
    check_may_take,
    end_reservation,
    release_reservation,
    take_stock_and_choose,
)
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.core.errors import DomainError
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

Status = WaitlistEntry.Status
LEFT = (Status.WITHDRAWN, Status.DECLINED)


@transaction.atomic
def join(
    *, organization: Organization, project: Project, wish: Wish, user: User | None = None
) -> WaitlistEntry:
    """
    Let an organization wait for blocks, behind all who wait already.

    Also who could be served at once joins, while others wait: he is, if nothing that is free
    fits those before him.

    :raises ProjectNotOpen: if nothing new can be had of it, or it has no rate yet.
    :raises NotInSandbox: if the organization is a sandbox.
    :raises OrganizationNotActive: if the organization is closed or deactivated.
    :raises AlreadyWaiting: if it waits for the project, or has an offer.
    :raises WishTooLarge: if all blocks of the project would not be enough.
    :raises CapExceeded: if the customer would have more than he may.
    :raises CapacityIsFree: if nobody waits, and the wish would be served now.
    :raises OvershootNotAgreed: if enough is free, in blocks that are more than it agrees to.
    :raises NoExactFit: if enough is free, in blocks that do not add up to it.
    :raises FitTooFine: if the sizes of blocks are too many to combine.
    :raises TooManyBlocks: if it takes more blocks than one reservation may have.
    """
    project, now = lock_project(project.pk), workers_now()
    if _standing_of(organization, project, now) is not None:
        raise AlreadyWaiting(project=project.name)
    check_may_take(project, organization, wish.kw, now)
    if wish.least_kw > project.blocks_kw:
        raise WishTooLarge(
            requested_kw=written(wish.kw),
            project=project.name,
            blocks_kw=written(project.blocks_kw),
        )
    _check_must_wait(project, wish, now)
    return _write(organization, project, wish, user, now)


@inside_transaction
def _standing_of(
    organization: Organization, project: Project, now: datetime
) -> WaitlistEntry | None:
    """
    Return where it waits for a locked project, or has an offer that stands.

    An offer past its window ends here: to wait for the sweep would keep out who may come again,
    and take the first place from who has paid too late.
    """
    alive = WaitlistEntry.objects.filter(
        organization=organization, project=project, status__in=ALIVE
    )
    own = alive.select_related("organization", "reservation").first()
    if own is None or own.reservation is None or now < own.reservation.hold_expires_at:
        return own
    # Whoever changes a reservation locks its project first, so that this one is as it is now.
    end_reservation(project, own.reservation, Reservation.Status.EXPIRED, now)
    return None


def _check_must_wait(project: Project, wish: Wish, now: datetime) -> None:
    try:
        choice = take_stock_and_choose(project, wish, now)
    except InsufficientCapacity:
        return
    if not project.waiting_count:
        raise CapacityIsFree(offered_kw=written(choice.kw), project=project.name)


@inside_transaction
def _write(
    organization: Organization,
    project: Project,
    wish: Wish,
    user: User | None,
    now: datetime,
    *,
    comes_first: bool = False,
) -> WaitlistEntry:
    entry = WaitlistEntry(
        organization=organization,
        project=project,
        user=user,
        **wish.columns,
        comes_first=comes_first,
        created_at=now,  # under the lock: whoever waited for it comes later
    )
    entry.save(force_insert=True)
    counting.count_waiting(project, 1)
    _record("capacity.wait", entry, capacity_kw=written(wish.kw), comes_first=comes_first)
    return entry


@transaction.atomic
def leave(*, entry: WaitlistEntry) -> WaitlistEntry:
    """
    Wait no more, or decline the offer; twice is no more than once.

    :raises WaitingEnded: if the offer was taken or has lapsed.
    """
    project = lock_project(entry.project_id)
    entry = WaitlistEntry.objects.select_related("organization", "reservation").get(pk=entry.pk)
    if entry.status == Status.WAITING:
        withdraw(project, entry, workers_now())
    elif entry.reservation is not None and entry.status == Status.OFFERED:
        release_reservation(reservation=entry.reservation)
        entry.refresh_from_db()
    elif entry.status not in LEFT:
        raise WaitingEnded(entry_status=entry.status)
    return entry


@inside_transaction
def withdraw(project: Project, entry: WaitlistEntry, now: datetime) -> None:
    """Let who waits for a locked project wait no more."""
    entry.status, entry.ended_at = Status.WITHDRAWN, now
    entry.save(update_fields=["status", "ended_at"])
    counting.count_waiting(project, -1)
    _record("capacity.wait_no_more", entry)


@inside_transaction
def put_first(project: Project, reservation: Reservation, now: datetime) -> None:
    """
    Let who has paid too late for blocks of a locked project wait for as many before all others.

    Who may not have them now waits for nothing, and who has an offer has one. Who got less than
    he asked for comes first with what he got, and not with all that he had asked for.
    """
    organization, wish = reservation.organization, wish_of(reservation)
    wish = replace(wish, kw=min(wish.kw, reservation.capacity_kw))
    own = _standing_of(organization, project, now)
    if own is not None and own.status == Status.OFFERED:
        return
    try:
        check_may_take(project, organization, wish.kw, now)
    except DomainError:
        return
    if own is not None:
        withdraw(project, own, now)
    _write(organization, project, wish, reservation.user, now, comes_first=True)


def _record(action: str, entry: WaitlistEntry, **after: object) -> None:
    audit.record(
        action=action,
        organization=entry.organization,
        object_id=entry.public_id,
        after={"project": entry.project.code, **after},
    )
