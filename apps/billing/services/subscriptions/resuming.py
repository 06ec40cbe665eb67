"""Resume what was asked of subscriptions and got no answer."""

from apps.billing.models import OrganizationSubscription, SubscriptionChange
from apps.billing.services import sweeping
from apps.billing.services.subscriptions import asking, changing, following
from apps.billing.services.sweeping import PATIENCE, SWEPT_AT_ONCE
from apps.core.clock import database_now

Change = SubscriptionChange
Status = OrganizationSubscription.Status


def sweep() -> int:
    """Resume what got no answer, and let go of schedules that have done their work."""
    return _resume() + _release_spent()


def _release_spent() -> int:
    """Release schedules whose change has come, so that the next change can be made."""
    spent = OrganizationSubscription.objects.exclude(stripe_schedule_id="").filter(
        next_version=None, status__in=[Status.ACTIVE, Status.TRIAL, Status.PAST_DUE]
    )
    asked = Change.objects.filter(status=Change.Status.ASKED).values("subscription")
    rows = spent.exclude(pk__in=asked).order_by("created_at")[:SWEPT_AT_ONCE]
    return sweeping.each(rows, _release)


def _release(row: OrganizationSubscription) -> None:
    asking.release_schedule(row, key=row.stripe_schedule_id)
    following.look(row)


def _resume() -> int:
    """Ask again for what was written down and got no answer; return how many were tried."""
    waiting = SubscriptionChange.objects.filter(
        status=Change.Status.ASKED, created_at__lte=database_now() - PATIENCE
    )
    related = waiting.select_related("subscription__organization", "version", "organization")
    return sweeping.each(related.order_by("created_at")[:SWEPT_AT_ONCE], changing.carry_out)
