"""Resume what was asked of subscriptions and got no answer."""

from datetime import timedelta

import structlog

from apps.billing.errors import (
    AuthenticationNeeded,
    PaymentDeclined,
    StripeRefused,
    StripeUnavailable,
)
from apps.billing.models import OrganizationSubscription, SubscriptionChange
from apps.billing.services.subscriptions import asking, changing, following
from apps.core import scope
from apps.core.clock import database_now

logger = structlog.get_logger(__name__)
Change = SubscriptionChange
Status = OrganizationSubscription.Status
PATIENCE = timedelta(minutes=1)  # so long whoever began may go on before the sweep does
SWEPT_AT_ONCE = 100


def sweep() -> int:
    """Resume what got no answer, and let go of schedules that have done their work."""
    return _resume() + _release_spent()


def _release_spent() -> int:
    """Release schedules whose change has come, so that the next change can be made."""
    spent = OrganizationSubscription.objects.exclude(stripe_schedule_id="").filter(
        next_version=None, status__in=[Status.ACTIVE, Status.TRIAL, Status.PAST_DUE]
    )
    asked = Change.objects.filter(status=Change.Status.ASKED).values("subscription")
    released = 0
    for row in spent.exclude(pk__in=asked).order_by("created_at")[:SWEPT_AT_ONCE]:
        with scope.within(row.organization_id):
            try:
                asking.release_schedule(row, key=row.stripe_schedule_id)
                following.look(row)
            except StripeUnavailable:
                break
            except StripeRefused as error:
                logger.warning("schedule_not_released", id=row.public_id, error=str(error))
            else:
                released += 1
    return released


def _resume() -> int:
    """Ask again for what was written down and got no answer; return how many were tried."""
    waiting = SubscriptionChange.objects.filter(
        status=Change.Status.ASKED, created_at__lte=database_now() - PATIENCE
    )
    related = waiting.select_related("subscription__organization", "version", "organization")
    tried = 0
    for change in related.order_by("created_at")[:SWEPT_AT_ONCE]:
        tried += 1
        with scope.within(change.organization_id):
            try:
                changing.carry_out(change)
            except StripeUnavailable:
                break
            except (PaymentDeclined, AuthenticationNeeded, StripeRefused) as error:
                logger.warning("subscription_refused", change=change.public_id, error=str(error))
    return tried
