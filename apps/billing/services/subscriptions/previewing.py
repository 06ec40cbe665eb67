"""What a change of plan would do: Stripe says it of money, and our own arithmetic of credits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.billing.gateway import objects
from apps.billing.gateway import subscriptions as gateway
from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionChange
from apps.billing.services.subscriptions import asking, prorations
from apps.billing.services.subscriptions.changing import plan_change
from apps.core.db import outside_transaction
from apps.credits.services.plan_changes import Swap

Kind = SubscriptionChange.Kind


@dataclass(frozen=True)
class Preview:
    """What is shown before a change is agreed to; the change names its `moment`."""

    kind: str  # now, or later
    version: PlanVersion
    quantity: int
    moment: datetime | None  # of the proration; None if nothing happens now
    charge: int  # minor units that are charged now, tax included
    currency: str
    swap: Swap  # credits that are taken and given now
    next_at: datetime | None  # the next renewal
    next_amount: int  # minor units, without tax
    seats_before: int | None  # None: no limit
    seats_after: int | None

    @property
    def credits_now(self) -> int:
        """How many credits more there are at once."""
        return self.swap.given - self.swap.taken


@outside_transaction
def preview_plan(
    *, subscription: OrganizationSubscription, version: PlanVersion, quantity: int = 1
) -> Preview:
    """
    Return what a change of plan would do now; nothing is written here or at Stripe.

    :raises ChangeNotPossible: if it does not fit how the subscription stands.
    :raises PlanNotOffered: if the plan is not offered, or not sold at Stripe.
    :raises QuantityNotOffered: if it is not bought for a number of units.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    change = plan_change(subscription, version, quantity)
    charge, swap = 0, Swap(0, 0)
    if change.kind == Kind.NOW:
        swap = prorations.preview(change)
        if subscription.status != OrganizationSubscription.Status.TRIAL:
            charge = _invoice_of(change)["amount_due"]
    return Preview(
        kind=change.kind,
        version=version,
        quantity=quantity,
        moment=change.moment,
        charge=charge,
        currency=version.currency,
        swap=swap,
        next_at=subscription.current_period_end,
        next_amount=version.price * quantity,
        seats_before=subscription.version.max_users,
        seats_after=version.max_users,
    )


def _invoice_of(change: SubscriptionChange) -> dict[str, Any]:
    stripe_id = change.subscription.stripe_subscription_id
    assert stripe_id, "plan_change refuses what is not at Stripe"
    told = objects.retrieve("subscription", stripe_id)
    return gateway.preview_items(subscription=told, items=asking.items_of(change))
