"""
Sandboxes: organizations whose clock staff move, and what then happens in them.

The target is written down first. A worker goes there from event to event: Stripe's clock goes
ahead, ours follows, and what is due at that moment is done in this organization alone. Each
part is safe to repeat, so that a crash anywhere is resumed with the same target.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from apps.billing.errors import SandboxIsMoving, SandboxRefused, StripeUnavailable
from apps.billing.gateway import clocks as gateway
from apps.billing.models import Customer, Sandbox
from apps.billing.selectors.sandboxes import events_ahead
from apps.billing.selectors.subscriptions import standing_of
from apps.billing.services import inbox
from apps.billing.services.handling import NotKnownYet
from apps.billing.services.subscriptions import ending, following, own_periods, plan_times
from apps.core import context, scope
from apps.core.clock import workers_now
from apps.core.db import inside_transaction, outside_transaction
from apps.core.errors import DomainError
from apps.core.queue import enqueue
from apps.credits.errors import CycleNotOver
from apps.credits.models import Wallet
from apps.credits.services.expiry_warnings import write_warnings
from apps.credits.services.plan_changes import expire_wallet
from apps.tenants.models import Organization
from apps.tenants.services.audit import record

logger = structlog.get_logger(__name__)
SECOND = timedelta(seconds=1)
LONGEST = timedelta(days=400)  # of one move
LONGEST_STEP = timedelta(days=58)  # Stripe allows two periods of the shortest subscription
PATIENCE = timedelta(hours=1)  # so long Stripe's clock may be on its way
STEPS_AT_ONCE = 50
ACTOR = "system:sandbox"
TASK = "billing.move_sandbox"


def are_possible() -> bool:
    """Tell whether this instance may have sandboxes: no money is real, and clocks may move."""
    return settings.MOVABLE_CLOCK and not settings.STRIPE_LIVE_MODE


def check_possible() -> None:
    """
    Check that this instance may have sandboxes.

    :raises SandboxRefused: if money is real here, or the clock may not be moved.
    """
    if settings.STRIPE_LIVE_MODE:
        raise SandboxRefused(reason="Billing is in live mode: time cannot be moved where money is.")
    if not settings.MOVABLE_CLOCK:
        raise SandboxRefused(
            reason="Clocks cannot be moved on this instance. A test instance sets MOVABLE_CLOCK."
        )


@transaction.atomic
def begin(*, organization: Organization, reason: str) -> Sandbox:
    """
    Make an organization a sandbox for good: its clock stands still from now on.

    :raises SandboxRefused: if it cannot be one: it is a customer at Stripe already.
    """
    check_possible()
    # Not only against other staff: who makes a customer asks for this lock once his row is there.
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if organization.clock_at is not None:
        raise SandboxRefused(reason=f"{organization} is a sandbox already. Move its clock.")
    with scope.within(organization.pk):
        if Customer.objects.filter(organization=organization).exists():
            raise SandboxRefused(
                reason=f"{organization} is a customer at Stripe already, who lives in real time "
                "there. Make a new organization a sandbox."
            )
        moment = _whole(workers_now() + SECOND)
        _set_clock(organization, moment)
        sandbox = Sandbox.objects.create(organization=organization)
    _record("begin", sandbox, moment, reason=reason)
    return sandbox


@transaction.atomic
def move(*, sandbox: Sandbox, to: datetime, reason: str) -> Sandbox:
    """
    Send a sandbox's clock to a moment; a worker takes it there.

    After a move that failed it may be sent to where it stands: what is due is done again.

    :raises SandboxIsMoving: if it is on its way already.
    :raises SandboxRefused: if that is not ahead, or too far.
    """
    check_possible()
    sandbox = _lock(sandbox.pk)
    if sandbox.moving_to is not None:
        raise SandboxIsMoving(to=f"{sandbox.moving_to:%Y-%m-%d %H:%M:%S} UTC")
    present, to = _moment_of(sandbox), _whole(to)
    if to < present or (to == present and not sandbox.error):
        raise SandboxRefused(
            reason=f"It is {present:%Y-%m-%d %H:%M:%S} UTC there. Choose a later moment: "
            "the clock never goes back."
        )
    if to > present + LONGEST:
        raise SandboxRefused(reason=f"Choose a moment within {LONGEST.days} days.")
    sandbox.moving_to, sandbox.moving_since, sandbox.error = to, workers_now(), ""
    sandbox.save()
    _record("move", sandbox, to, before=present, reason=reason)
    enqueue(TASK, sandbox_id=str(sandbox.pk))
    return sandbox


@outside_transaction
def carry_on(sandbox_id: UUID) -> bool:
    """
    Bring a sandbox on its way as far as it goes now; return whether to ring again soon.

    Safe to repeat, and at once.
    """
    with context.acting(actor=ACTOR):
        for _ in range(STEPS_AT_ONCE):
            sandbox = _next_step(sandbox_id)
            if sandbox is None or sandbox.step_to is None:
                return False
            try:
                if not _stripe_is_there(sandbox, sandbox.step_to):
                    return True
                _live_through(sandbox.organization, sandbox.step_to)
            except StripeUnavailable:
                logger.warning("sandbox_waits", sandbox=sandbox.public_id)
                return True
            except (DomainError, NotKnownYet) as error:
                _give_up(sandbox_id, sandbox.step_to, str(error))
                return False
            _arrive(sandbox_id, sandbox.step_to)
    return True


def sweep() -> int:
    """Ring for sandboxes on their way whose ring got lost; return for how many."""
    ids = Sandbox.objects.exclude(moving_to=None).values_list("pk", flat=True)
    found = list(ids)
    for sandbox_id in found:
        enqueue(TASK, sandbox_id=str(sandbox_id))
    return len(found)


@transaction.atomic
def _next_step(sandbox_id: UUID) -> Sandbox | None:
    """Write down where the next step ends, unless one is under way; None if it has arrived."""
    sandbox = _lock(sandbox_id)
    if sandbox.moving_to is None or sandbox.moving_since is None:
        return None
    if sandbox.step_to is not None and workers_now() > sandbox.moving_since + PATIENCE:
        _end_at(sandbox, sandbox.step_to, "It took longer than an hour. Move the clock again.")
        return None
    if sandbox.step_to is None:
        present = _moment_of(sandbox)
        ahead = (_whole(one.at) for one in events_ahead(sandbox.organization, present))
        first = next(ahead, sandbox.moving_to)
        sandbox.step_to = min(first, sandbox.moving_to, present + LONGEST_STEP)
        sandbox.step_to = max(sandbox.step_to, present)
        sandbox.save()
    return sandbox


def _stripe_is_there(sandbox: Sandbox, moment: datetime) -> bool:
    """Let Stripe's clock go ahead, if there is one; tell whether it has arrived."""
    clock_id = sandbox.stripe_clock_id
    if not clock_id:
        return True
    key = f"{sandbox.public_id}:{int(moment.timestamp())}:move"
    return gateway.has_reached(clock_id, moment, key=key)


def _live_through(organization: Organization, moment: datetime) -> None:
    """
    Move our clock, and do what is due then. The scope keeps it within the organization.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    with transaction.atomic():
        organization = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        if organization.clock_at is not None and organization.clock_at > moment:
            return  # another worker has gone on while this one waited for Stripe
        _set_clock(organization, moment)
    with scope.within(organization.pk, moment):
        for wallet in Wallet.objects.filter(organization=organization, closed_at=None):
            with transaction.atomic():
                expire_wallet(wallet)
        for row in filter(None, dict.fromkeys(standing_of(organization))):
            with suppress(CycleNotOver):  # Stripe is ahead, and a later step looks again
                following.look(row)
        for one in (own_periods, plan_times, ending):
            one.sweep()
        write_warnings(organization_id=organization.pk)


@transaction.atomic
def _arrive(sandbox_id: UUID, moment: datetime) -> None:
    """End a step, and with the last one the move, unless another worker has."""
    sandbox = _lock(sandbox_id)
    if sandbox.step_to != moment:
        return
    sandbox.step_to = None
    sandbox.save(update_fields=["step_to"])
    if sandbox.moving_to == moment:
        _end_at(sandbox, moment)


@transaction.atomic
def _give_up(sandbox_id: UUID, moment: datetime, error: str) -> None:
    """End a move that cannot go on, unless another worker has gone on."""
    sandbox = _lock(sandbox_id)
    if sandbox.step_to == moment:
        _end_at(sandbox, moment, error)


@inside_transaction
def _end_at(sandbox: Sandbox, moment: datetime, error: str = "") -> None:
    """End a move, and let the news be handled that waited for that."""
    sandbox.moving_to = sandbox.moving_since = sandbox.step_to = None
    sandbox.error = error
    sandbox.save()
    _record("stop" if error else "arrive", sandbox, moment, reason=error)
    customer = Customer.objects.filter(organization=sandbox.organization).first()
    if customer is not None and customer.stripe_id:
        inbox.hurry(customer.stripe_id)


def _lock(sandbox_id: UUID) -> Sandbox:
    rows = Sandbox.objects.select_for_update(of=("self",)).select_related("organization")
    return rows.get(pk=sandbox_id)


def _moment_of(sandbox: Sandbox) -> datetime:
    moment = sandbox.organization.clock_at
    if moment is None:
        raise SandboxRefused(reason="Its clock runs: the row says otherwise. Ask whoever wrote it.")
    return moment


def _whole(moment: datetime) -> datetime:
    """Return a moment in whole seconds, as Stripe counts; never an earlier one."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + SECOND


def _set_clock(organization: Organization, moment: datetime) -> None:
    Organization.objects.filter(pk=organization.pk).update(clock_at=moment)
    organization.clock_at = moment


def _record(
    verb: str,
    sandbox: Sandbox,
    moment: datetime,
    *,
    before: datetime | None = None,
    reason: str,
) -> None:
    record(
        action=f"sandbox.{verb}",
        organization=sandbox.organization,
        object_id=sandbox.public_id,
        before={"clock_at": before.isoformat()} if before else None,
        after={"clock_at": moment.isoformat()},
        reason=reason,
    )
