"""Reserve blocks: all that was asked for, or nothing, unless less will do."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.billing.services import checkout
from apps.capacity.errors import (
    CapExceeded,
    NotInSandbox,
    OthersWait,
    ProjectNotOpen,
    ReservationEnded,
)
from apps.capacity.models import Project, Reservation
from apps.capacity.selectors.amounts import written
from apps.capacity.selectors.blocks import Piece
from apps.capacity.selectors.picking import Choice, Wish, check_agreed, choose
from apps.capacity.selectors.projects import (
    Share,
    day_of,
    fee_on,
    has_ended,
    rate_on,
    share_of,
)
from apps.capacity.services import counting, entries
from apps.capacity.services.allocating import allocate
from apps.capacity.services.locking import lock_project, lock_reservation
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.tenants.errors import OrganizationNotActive
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization

Status = Reservation.Status


@dataclass(frozen=True)
class Quote:
    """What a wish would get now. Nothing is set aside for it."""

    project: Project
    choice: Choice
    share: Share
    monthly_fee: int  # minor units of the project's currency

    @property
    def is_within_cap(self) -> bool:
        """Whether the customer may have as much."""
        return self.share.allows(self.choice.kw)


def quote_reservation(*, organization: Organization, project: Project, wish: Wish) -> Quote:
    """
    Return what a wish would get now, with its overshoot and fee, and set nothing aside.

    :raises ProjectNotOpen: if nothing new can be had of it, or it has no rate yet.
    :raises OthersWait: if customers wait for it, who come first.
    :raises InsufficientCapacity: if less is free, and less will not do.
    :raises NoExactFit: if an exact fit was asked for, and there is none.
    :raises FitTooFine: if the sizes of blocks are too many to combine.
    :raises TooManyBlocks: if it takes more blocks than one reservation may have.
    """
    now = workers_now()
    check_open(project, now)
    _check_nobody_waits(project)
    choice = choose(project, wish, now)
    fee = fee_on(project, choice.kw, day_of(now))
    return Quote(project, choice, share_of(project, organization, now), fee)


@transaction.atomic
def reserve(
    *,
    organization: Organization,
    project: Project,
    wish: Wish,
    user: User | None = None,
    hold: timedelta | None = None,
) -> Reservation:
    """
    Set blocks aside for an organization for `hold`, or as long as the project says.

    What costs nothing is allocated at once. `user` is who asked, if anybody did.

    :raises ProjectNotOpen: if nothing new can be had of it, or it has no rate yet.
    :raises OthersWait: if customers wait for it, who come first.
    :raises NotInSandbox: if the organization is a sandbox.
    :raises OrganizationNotActive: if the organization is closed or deactivated.
    :raises InsufficientCapacity: if less is free, and less will not do.
    :raises OvershootNotAgreed: if the blocks are more than the wish agrees to.
    :raises CapExceeded: if the customer would have more than he may.
    :raises NoExactFit: if an exact fit was asked for, and there is none.
    :raises FitTooFine: if the sizes of blocks are too many to combine.
    :raises TooManyBlocks: if it takes more blocks than one reservation may have.
    """
    project = lock_project(project.pk)
    now = workers_now()
    check_open(project, now)
    _check_nobody_waits(project)
    check_can_have(organization)
    choice = take_stock_and_choose(project, wish, now)
    _check_cap(project, organization, choice.kw, now)
    until = _deadline(project, now, hold)
    return hold_choice(organization, project, choice, user=user, until=until, now=now)


@inside_transaction
def hold_choice(
    organization: Organization,
    project: Project,
    choice: Choice,
    *,
    user: User | None,
    until: datetime,
    now: datetime,
) -> Reservation:
    """Hold blocks of a locked project that were chosen for who may have them, or allocate them."""
    wish = choice.wish
    reservation = _write(organization, project, choice, user, until)
    counting.hold_blocks(project, reservation, ids_of(choice.pieces))
    audit.record(
        action="capacity.reserve",
        organization=organization,
        object_id=reservation.public_id,
        after={
            "project": project.code,
            "blocks": len(choice.pieces),
            "capacity_kw": written(choice.kw),
            "wish": {name: str(value) for name, value in asdict(wish).items()},
        },
    )
    if fee_on(project, choice.kw, day_of(now)) == 0:
        allocate(project=project, reservation=reservation, now=now)
    return reservation


@inside_transaction
def take_stock_and_choose(project: Project, wish: Wish, now: datetime) -> Choice:
    """
    Free what is past its hold, and choose among the free blocks of a locked project.

    :raises OvershootNotAgreed: if the blocks are more than the wish agrees to.
    """
    counting.end_past_holds(project, now)
    choice = choose(project, wish, now)
    check_agreed(choice)
    return choice


def ids_of(pieces: list[Piece]) -> list[UUID]:
    """Return the ids of the blocks that were chosen."""
    return [piece.block_id for piece in pieces]


@inside_transaction
def check_may_take(
    project: Project, organization: Organization, kw: Decimal, now: datetime
) -> None:
    """
    Check that an organization may have so many kW more of a locked project, if they are there.

    :raises ProjectNotOpen: if nothing new can be had of it, or it has no rate yet.
    :raises NotInSandbox: if the organization is a sandbox.
    :raises OrganizationNotActive: if the organization is closed or deactivated.
    :raises CapExceeded: if the customer would have more than he may.
    """
    check_open(project, now)
    check_can_have(organization)
    _check_cap(project, organization, kw, now)


def _check_nobody_waits(project: Project) -> None:
    if project.waiting_count:
        raise OthersWait(project=project.name)


def check_open(project: Project, now: datetime) -> None:
    """
    Check that something new can be had of a project.

    :raises ProjectNotOpen: if not, or it has no rate yet.
    """
    is_open = project.status == Project.Status.OPEN and not has_ended(project, now)
    if not is_open or rate_on(project, day_of(now)) is None:
        raise ProjectNotOpen(project=project.name)


@inside_transaction
def check_can_have(organization: Organization) -> None:
    """
    Check under its lock that it can have blocks: closing, it would keep them for ever.

    :raises NotInSandbox: if the organization is a sandbox.
    :raises OrganizationNotActive: if the organization is closed or deactivated.
    """
    organization = lock_organization(organization)
    if organization.clock_at is not None:
        raise NotInSandbox
    if not organization.is_active:
        raise OrganizationNotActive(standing=organization.status)


def _check_cap(
    project: Project, organization: Organization, asked_kw: Decimal, now: datetime
) -> None:
    share = share_of(project, organization, now)
    if share.cap_kw is not None and not share.allows(asked_kw):
        raise CapExceeded(
            cap_kw=written(share.cap_kw), has_kw=written(share.has_kw), asked_kw=written(asked_kw)
        )


def _deadline(project: Project, now: datetime, hold: timedelta | None) -> datetime:
    return now + (hold or timedelta(minutes=project.hold_minutes))


def _write(
    organization: Organization,
    project: Project,
    choice: Choice,
    user: User | None,
    hold_expires_at: datetime,
) -> Reservation:
    reservation = Reservation(
        organization=organization,
        project=project,
        user=user,
        **choice.wish.columns,
        capacity_kw=choice.kw,
        hold_expires_at=hold_expires_at,
    )
    reservation.save(force_insert=True)
    return reservation


@transaction.atomic
def release_reservation(*, reservation: Reservation) -> Reservation:
    """
    Give back what is held; twice is no more than once.

    :raises ReservationEnded: if it was allocated, or ended otherwise.
    """
    project, reservation = lock_reservation(reservation)
    if reservation.status == Status.RELEASED:
        return reservation
    if reservation.status != Status.HELD:
        raise ReservationEnded(reservation_status=reservation.status)
    end_reservation(project, reservation, Status.RELEASED, workers_now())
    return reservation


@inside_transaction
def end_reservation(
    project: Project, reservation: Reservation, status: Status, now: datetime
) -> None:
    """Free what a reservation of a locked project holds still, and write down why it ended."""
    counting.free_held_blocks(project, reservation)
    before, reservation.status, reservation.ended_at = reservation.status, status, now
    reservation.save(update_fields=["status", "ended_at", "payment", "paid_at"])
    entries.end_offer(reservation, now)
    checkout.call_off(subject_id=reservation.pk)
    audit.record(
        action=f"capacity.reservation_{status}",
        organization=reservation.organization,
        object_id=reservation.public_id,
        before={"status": before},
        after={"status": status, "capacity_kw": written(reservation.capacity_kw)},
    )
