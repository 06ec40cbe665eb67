"""End at Stripe, too, what was not paid and is out of its grace."""

from datetime import timedelta

from django.db import transaction

from apps.billing.models import OrganizationSubscription, SubscriptionChange
from apps.billing.selectors.subscriptions import GRACE_DAYS, grace_ends
from apps.billing.services import sweeping
from apps.billing.services.subscriptions import changing
from apps.billing.services.subscriptions.locking import lock_subscriptions
from apps.billing.services.sweeping import SWEPT_AT_ONCE
from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.tenants.selectors.config import value_of

Change = SubscriptionChange
Status = OrganizationSubscription.Status
REFUSED_FOR = timedelta(days=1)  # so long what Stripe refused is not asked again


def sweep() -> int:
    """
    End what is past due and out of grace, so that nothing is collected for it any more.

    Returns how many were tried. What got no answer is resumed with the same key (`resuming`).
    """
    now = database_now()
    late = OrganizationSubscription.objects.filter(
        status=Status.PAST_DUE, past_due_since__lte=now - timedelta(days=value_of(GRACE_DAYS))
    )
    asked = Change.objects.filter(status=Change.Status.ASKED)
    refused = Change.objects.filter(
        kind=Change.Kind.END, status=Change.Status.REFUSED, created_at__gt=now - REFUSED_FOR
    )
    due = late.exclude(pk__in=asked.values("subscription"))
    due = due.exclude(pk__in=refused.values("subscription"))
    return sweeping.each(due.order_by("past_due_since")[:SWEPT_AT_ONCE], end_if_late)


@outside_transaction
def end_if_late(row: OrganizationSubscription) -> None:
    """
    End a subscription at Stripe if its grace is over.

    :raises ChangeUnderWay: if something else is being asked of it.
    :raises StripeRefused: if Stripe refuses it.
    :raises StripeUnavailable: if Stripe does not answer; it is asked again by itself.
    """
    with transaction.atomic():
        row = lock_subscriptions(OrganizationSubscription.objects.all()).get(pk=row.pk)
        end = grace_ends(row)
        if row.status != Status.PAST_DUE or end is None or end > database_now():
            return
        change = changing.write_down(
            Change(subscription=row, kind=Change.Kind.END, reason="It was not paid in time.")
        )
    changing.carry_out(change)
