"""How many members an organization may have: its plan says so, from its start to its end."""

from apps.billing.models import OrganizationSubscription, PlanVersion
from apps.core.db import inside_transaction
from apps.tenants.services.organizations import set_member_limit

Status = OrganizationSubscription.Status
WORKING = (Status.TRIAL, Status.ACTIVE, Status.PAST_DUE)
NOT_WORKING = (Status.INCOMPLETE, *OrganizationSubscription.OVER)


@inside_transaction
def follow_plan(subscription: OrganizationSubscription) -> None:
    """Give the organization its plan's seats, or the free plan's when it has ended."""
    if subscription.status in WORKING:
        limit = subscription.version.max_users
    elif subscription.is_over:
        others = OrganizationSubscription.objects.filter(
            organization=subscription.organization
        ).exclude(pk=subscription.pk)
        if others.exclude(status__in=NOT_WORKING).exists():
            return  # another began meanwhile, and says how many
        limit = seats_without_plan()
    else:
        return
    set_member_limit(organization=subscription.organization, max_users=limit)


def seats_without_plan() -> int | None:
    """Return the seats of the free plan that is offered; None, which is no limit, without one."""
    free = PlanVersion.objects.filter(price=0, plan__is_active=True).exclude(
        interval=PlanVersion.Interval.PASS
    )
    newest = free.order_by("plan__position", "-number").first()
    return newest.max_users if newest else None
