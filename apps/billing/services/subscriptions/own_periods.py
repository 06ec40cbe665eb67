"""Plans that are ours alone: Stripe knows nothing of them. What is limited: `plan_times`."""

import calendar
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.billing.models import OrganizationSubscription
from apps.billing.services import sweeping
from apps.billing.services.subscriptions import seats
from apps.billing.services.subscriptions.cycles import begin_cycle
from apps.billing.services.subscriptions.locking import lock_subscriptions
from apps.billing.services.sweeping import SWEPT_AT_ONCE
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.credits.models import Wallet
from apps.tenants.services.audit import record

Status = OrganizationSubscription.Status
MONTHS = {"month": 1, "year": 12}


def start(row: OrganizationSubscription) -> None:
    """
    Let a free plan begin now; nothing is saved here.

    Where another one's period runs, it goes on with that: what is free is given once.
    """
    row.status = Status.ACTIVE
    now = database_now().replace(microsecond=0)
    row.anchored_at = row.current_period_start = now
    row.current_period_end = end_of_period(row, row.anchored_at, 1)
    if (earlier := _given_by_another(row)) is not None:
        row.anchored_at = earlier.anchored_at
        row.current_period_start = earlier.current_period_start
        row.current_period_end = earlier.current_period_end


def _given_by_another(row: OrganizationSubscription) -> OrganizationSubscription | None:
    """Return the free plan, over by now, that gave its credits beyond this one's beginning."""
    free = OrganizationSubscription.objects.filter(
        organization=row.organization,
        stripe_subscription_id=None,
        is_limited=False,
        anchored_at__isnull=False,
        current_period_end__gt=row.current_period_start,
        version__included_credits__gt=0,
    )
    return free.exclude(pk=row.pk).order_by("-current_period_end").first()


@inside_transaction
def give(row: OrganizationSubscription) -> None:
    """Give what a free plan gives for the period that has begun."""
    assert row.current_period_start is not None, "start wrote both down"
    assert row.current_period_end is not None
    seats.follow_plan(row)  # locks the organization: as in a closing, before the wallet
    if _given_by_another(row) is not None:
        return
    begin_cycle(
        subscription=row,
        version=row.version,
        quantity=row.quantity,
        start=row.current_period_start,
        end=row.current_period_end,
    )


@inside_transaction
def make_way(begun: OrganizationSubscription) -> None:
    """End the free plan, or what is limited, beside which a subscription has just begun."""
    rows = OrganizationSubscription.objects.filter(
        organization=begun.organization, stripe_subscription_id=None
    )
    others = rows.exclude(pk=begun.pk).exclude(status__in=seats.NOT_WORKING)
    for row in lock_subscriptions(others):
        end(row)


@inside_transaction
def end(row: OrganizationSubscription, status: Status = Status.CANCELLED) -> None:
    """End a plan of our own now; its credits stay until they expire."""
    row.status, row.ended_at = status, database_now()
    row.save()
    record(
        action="subscription.end",
        organization=row.organization,
        object_id=row.public_id,
        after={"status": str(row.status)},
    )
    seats.follow_plan(row)


def end_of_period(row: OrganizationSubscription, start: datetime, number: int) -> datetime:
    """
    Return when the period with this number ends, counted from the first one's start.

    31 January, 28 February, 31 March: the day is that of the start, or the month's last.
    """
    months = MONTHS[row.version.interval] * row.version.interval_count * number
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def open_wallets() -> QuerySet[Wallet]:
    """Return the open main wallet of the row's organization, for `Exists`."""
    return Wallet.objects.filter(
        organization=OuterRef("organization"), kind=Wallet.Kind.ORGANIZATION, closed_at=None
    )


def sweep() -> int:
    """Begin the next period of free plans, or end those that shall end; return how many."""
    due = OrganizationSubscription.objects.filter(
        Exists(open_wallets()),  # of a closed organization they go on when it is open again
        status=Status.ACTIVE,
        stripe_subscription_id=None,
        is_limited=False,
        current_period_end__lte=database_now(),
    )
    return sweeping.each(due.order_by("current_period_end")[:SWEPT_AT_ONCE], _turn)


@transaction.atomic
def _turn(row: OrganizationSubscription) -> None:
    row = lock_subscriptions(OrganizationSubscription.objects.all()).get(pk=row.pk)
    now = database_now()
    if row.status != Status.ACTIVE or not row.current_period_end or row.current_period_end > now:
        return
    if row.cancel_at_period_end:
        end(row)
        return
    first, number = row.anchored_at, 1
    assert first is not None, "start wrote it down"
    while end_of_period(row, first, number) <= now:
        number += 1
    # Periods in which nobody was here to turn them gave nothing: only the present one does.
    row.current_period_start = end_of_period(row, first, number - 1) if number > 1 else first
    row.current_period_end = end_of_period(row, first, number)
    row.save(update_fields=["current_period_start", "current_period_end"])
    give(row)
