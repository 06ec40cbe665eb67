"""
Time of plans that end by themselves: it begins, is lengthened, is taken back, and is over.

Days are written down once, with what they were paid by, or with who gave them. When their
subscription ends is its start and all that is left of its times (invariant B80). Everything
here is done under the customer's lock.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from apps.billing.models import OrganizationSubscription, Payment, PlanTime
from apps.billing.models.plan_times import DAY
from apps.billing.selectors.plan_times import Span, is_running, obstacle_of, span_of, times_of
from apps.billing.services import sweeping
from apps.billing.services.customers import lock_customer
from apps.billing.services.subscriptions import own_periods, seats
from apps.billing.services.subscriptions.locking import lock_subscriptions
from apps.billing.services.sweeping import SWEPT_AT_ONCE
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.credits.selectors import main_wallet
from apps.tenants.models import Organization
from apps.tenants.services.audit import record

Status = OrganizationSubscription.Status
SECOND = timedelta(seconds=1)


@inside_transaction
def begin_bought(payment: Payment) -> PlanTime:
    """Begin the pass that a locked payment has just paid."""
    version, days = payment.plan_version, payment.valid_days
    assert version is not None, "a pass is bought by its version"
    assert days is not None
    time = PlanTime(organization=payment.organization, version=version, payment=payment, days=days)
    return begin(time)


@inside_transaction
def begin(time: PlanTime) -> PlanTime:
    """
    Let days of a plan begin: after those that run of the same plan, or in place of a free plan.

    Where another plan is in the way (it was paid in the meantime) they wait until its end.
    """
    present = _lock_present(time.organization)
    now = database_now()
    span = span_of(present, time.version, time.length, now)
    time.credits_end_at = time.credits_end_at or span.ends_at  # what has waited has its credits
    if not obstacle_of(present, time.version, now):
        row = present if present and is_running(present, now) else _new_row(time, span)
        row.version, row.current_period_end = time.version, span.ends_at
        row.save()
        time.subscription = row
        seats.follow_plan(row)
    time.save()
    _note(time, span.ends_at if time.subscription else None)
    return time


def _new_row(time: PlanTime, span: Span) -> OrganizationSubscription:
    """Return a subscription that begins now; what is there ends for it."""
    row = OrganizationSubscription(
        organization=time.organization,
        status=Status.ACTIVE,
        is_limited=True,
        current_period_start=span.begins_at,
        next_version=span.then,
        next_quantity=1 if span.then else None,
    )
    own_periods.make_way(row)
    return row


def _note(time: PlanTime, ends_at: datetime | None) -> None:
    about = time.subscription or time
    after = {"plan": str(time.version), "days": time.days}
    if ends_at is not None:
        after["ends_at"] = ends_at.isoformat()
    if time.reason:
        after["note"] = time.reason  # kept beside the row, so that it can be erased
    record(
        action="subscription.time",
        organization=time.organization,
        object_id=about.public_id,
        after=after,
    )


def _lock_present(organization: Organization) -> OrganizationSubscription | None:
    """Return what the organization has, locked; not what waits for its payment."""
    rows = OrganizationSubscription.objects.filter(organization=organization)
    working = rows.exclude(status__in=seats.NOT_WORKING)
    return lock_subscriptions(working).first()


@inside_transaction
def follow_money(payment: Payment, gone: int) -> None:
    """
    Take the time back that refunded and lost money of a locked payment has bought.

    That is its part of the days, rounded down to seconds, as far as it is unused; time comes
    back if money does. What is over stays over. `gone` is in minor units.
    """
    time = PlanTime.objects.select_for_update().filter(payment=payment).first()
    if time is None:
        return
    now = database_now()
    total = payment.amount + payment.tax
    due = time.seconds * min(gone, total) // total if total else 0
    row = _lock_row(time)
    if row is not None and row.is_over:
        return
    taken = min(due, time.seconds_taken + _unused(time, row, now))
    if taken == time.seconds_taken:
        return
    time.seconds_taken = taken
    time.save(update_fields=["seconds_taken"])
    if row is not None:
        _move_end(row, now)
        record(
            action="subscription.time_taken",
            organization=time.organization,
            object_id=row.public_id,
            after={"payment": payment.public_id, "seconds": taken},
        )


def _lock_row(time: PlanTime) -> OrganizationSubscription | None:
    if time.subscription_id is None:
        return None
    rows = OrganizationSubscription.objects.filter(pk=time.subscription_id)
    return lock_subscriptions(rows).first()


def _unused(time: PlanTime, row: OrganizationSubscription | None, now: datetime) -> int:
    """Return how many seconds of a time are left; one that has begun is used."""
    if row is None:
        return time.seconds - time.seconds_taken
    begins = row.current_period_start
    assert begins is not None, "what is limited has a period"
    for one in times_of(row):
        if one.pk == time.pk:
            break
        begins += one.length
    left = begins + time.length - max(begins, now)
    return max(0, -(-left // SECOND))


def _move_end(row: OrganizationSubscription, now: datetime) -> None:
    """Let a subscription end when its times say, at once if that is past."""
    assert row.current_period_start is not None, "what is limited has a period"
    left = sum((time.length for time in times_of(row)), timedelta())
    row.current_period_end = row.current_period_start + max(left, SECOND)
    row.save(update_fields=["current_period_end"])
    if row.current_period_start + left <= now:
        finish(row)


@inside_transaction
def finish(row: OrganizationSubscription) -> None:
    """End what is limited, and go back to the free plan that it took the place of."""
    own_periods.end(row, Status.EXPIRED)
    is_closed = main_wallet(row.organization).closed_at is not None
    if is_closed or row.next_version is None or not row.next_version.plan.is_active:
        return
    free = OrganizationSubscription(organization=row.organization, version=row.next_version)
    own_periods.start(free)
    free.save(force_insert=True)
    record(
        action="subscription.begin",
        organization=free.organization,
        object_id=free.public_id,
        after={"plan": str(free.version), "quantity": 1, "status": str(free.status)},
    )
    own_periods.give(free)


def sweep() -> int:
    """End what is over by now, and begin what has waited for that; return how many."""
    return _finish_due() + _begin_waiting()


def _finish_due() -> int:
    due = OrganizationSubscription.objects.filter(
        status=Status.ACTIVE, is_limited=True, current_period_end__lte=database_now()
    )
    ended = due.select_related("organization").order_by("current_period_end")
    return sweeping.each(ended[:SWEPT_AT_ONCE], _finish_if_due)


@transaction.atomic
def _finish_if_due(row: OrganizationSubscription) -> None:
    lock_customer(organization=row.organization)
    present = _lock_present(row.organization)
    if present is not None and present.is_limited and not is_running(present, database_now()):
        finish(present)


def _begin_waiting() -> int:
    """Begin time that was paid while another plan was there, once that has ended."""
    working = OrganizationSubscription.objects.filter(organization=OuterRef("organization"))
    in_the_way = working.exclude(status__in=seats.NOT_WORKING).exclude(
        stripe_subscription_id=None, is_limited=False
    )
    waiting = PlanTime.objects.filter(subscription=None, seconds_taken__lt=F("days") * DAY)
    is_open = Exists(own_periods.open_wallets())  # else the days would be over unseen
    found = waiting.filter(is_open).exclude(Exists(in_the_way)).select_related("organization")
    return sweeping.each(found.order_by("created_at")[:SWEPT_AT_ONCE], _begin_if_it_waits)


@transaction.atomic
def _begin_if_it_waits(time: PlanTime) -> None:
    lock_customer(organization=time.organization)
    waiting = PlanTime.objects.select_for_update(of=("self",)).filter(subscription=None)
    if (locked := waiting.filter(pk=time.pk).first()) is not None:
        begin(locked)
