"""The subscription of an organization, and what its plan allows now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Sum

from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionChange
from apps.core.clock import database_now, now_in_query
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.selectors.coverage import Coverage
from apps.tenants.models import Organization
from apps.tenants.selectors.config import Setting, declare, value_of

Status = OrganizationSubscription.Status
LARGEST_QUANTITY = 100_000  # units of a plan
WAITING = ExpressionWrapper(Q(status=Status.INCOMPLETE), output_field=BooleanField())

GRACE_DAYS = declare(
    Setting(
        "billing.grace_days",
        default=14,
        description="Days that a plan works on after a payment failed.",
        minimum=0,
        maximum=90,
    )
)


def subscriptions_of(organization: Organization) -> QuerySet[OrganizationSubscription]:
    """Return all subscriptions of an organization, the newest first, with their plans."""
    rows = OrganizationSubscription.objects.filter(organization=organization)
    return rows.select_related("version__plan", "next_version__plan").order_by("-created_at")


def present_of(organization: Organization) -> OrganizationSubscription | None:
    """Return the subscription that the organization has, or else the one that waits for payment."""
    return standing_of(organization)[0]


def waiting_of(organization: Organization) -> OrganizationSubscription | None:
    """Return the subscription that waits for its first payment, perhaps beside another one."""
    return standing_of(organization)[1]


def standing_of(
    organization: Organization,
) -> tuple[OrganizationSubscription | None, OrganizationSubscription | None]:
    """
    Return what the organization has and what waits for payment, which may be the same.

    In one statement: between two, what waited may have been paid, and would be neither.
    """
    rows = subscriptions_of(organization).exclude(status__in=OrganizationSubscription.OVER)
    found = list(rows.order_by(WAITING))
    waits = bool(found) and found[-1].status == Status.INCOMPLETE
    return (found[0] if found else None), (found[-1] if waits else None)


def offered_plan(code: str) -> PlanVersion | None:
    """Return the version in force of the plan with this code, if it is offered."""
    found = PlanVersion.objects.filter(
        plan__code=code, plan__is_active=True, effective_at__lte=now_in_query()
    )
    return found.select_related("plan").order_by("-number").first()


def plan_for(organization: Organization, code: str) -> PlanVersion | None:
    """Return the version of a plan that an organization would get: of its own plan, its own."""
    own = present_of(organization)
    if own is not None and own.version.plan.code == code:
        return own.version
    return offered_plan(code)


def had_trial(organization: Organization) -> bool:
    """Tell whether the organization has had a trial of a plan: there is one, ever."""
    return subscriptions_of(organization).exclude(trial_end=None).exists()


def grace_ends(subscription: OrganizationSubscription) -> datetime | None:
    """Return until when a plan works although its payment failed; None if it did not."""
    if subscription.past_due_since is None:
        return None
    return subscription.past_due_since + timedelta(days=value_of(GRACE_DAYS))


def is_working(subscription: OrganizationSubscription, now: datetime) -> bool:
    """Tell whether what the plan allows is allowed at a moment."""
    match subscription.status:
        case Status.ACTIVE | Status.TRIAL:
            if subscription.stripe_subscription_id:
                return True  # it ends when Stripe says so
            end = subscription.current_period_end
            return end is None or now < end or not subscription.is_limited
        case Status.PAST_DUE:
            grace = grace_ends(subscription)
            return grace is not None and now < grace
    return False


def version_now(organization: Organization) -> PlanVersion | None:
    """Return the version of a plan that is subscribed to, while that works."""
    subscription = present_of(organization)
    if subscription is None or not is_working(subscription, database_now()):
        return None
    return subscription.version


def features_now(organization: Organization) -> Mapping[str, Any]:
    """Return what the plan allows now: of the version subscribed to, while that works."""
    version = version_now(organization)
    features: Mapping[str, Any] = version.features if version else {}
    return features


def unlimited_operations(organization: Organization) -> frozenset[str]:
    """Return names and categories of the price list that cost the organization nothing now."""
    return frozenset(features_now(organization).get("unlimited_operations", ()))


def coverage_of(organization: Organization) -> Coverage:
    """Return what the plan allows now, as credits and jobs understand it."""
    version = version_now(organization)
    if version is None:
        return Coverage()
    return Coverage(
        unlimited=frozenset(version.features.get("unlimited_operations", ())),
        concurrent_jobs=version.features.get("max_concurrent_jobs"),
        plan=version.plan.code,
    )


@dataclass(frozen=True)
class Scenario:
    """What the button of a plan does for an organization, in one word, and with which quantity."""

    word: str  # subscribe, upgrade, downgrade, current, scheduled, pay, pass, extend, blocked
    quantity: int


def scenario_of(
    subscription: OrganizationSubscription | None,
    version: PlanVersion,
    quantity: int = 1,
    waiting: OrganizationSubscription | None = None,
) -> Scenario:
    """
    Return what choosing this plan would mean; `current` is also an older version of it.

    `waiting` is what waits for its first payment, if that is another than the subscription.
    """
    for row in (waiting, subscription):
        if row and row.status == Status.INCOMPLETE and row.version.plan_id == version.plan_id:
            return Scenario("pay", row.quantity)
    if subscription is None or subscription.status == Status.INCOMPLETE:
        return Scenario("pass" if version.is_pass else "subscribe", quantity)
    is_own = subscription.version.plan_id == version.plan_id
    if is_own and not subscription.is_limited:
        return Scenario("current", subscription.quantity)
    if subscription.next_version and subscription.next_version.plan_id == version.plan_id:
        return Scenario("scheduled", subscription.next_quantity or 1)
    return Scenario(_word_beside(subscription, version, quantity), quantity)


def _word_beside(
    subscription: OrganizationSubscription, version: PlanVersion, quantity: int
) -> str:
    """Return what another plan means for who has one, or more of a pass."""
    is_free = not (subscription.is_limited or subscription.stripe_subscription_id)
    if version.is_pass:
        is_own = subscription.version.plan_id == version.plan_id
        return "pass" if is_free else "extend" if is_own else "blocked"
    if subscription.stripe_subscription_id:
        return "upgrade" if is_upgrade(subscription, version, quantity) else "downgrade"
    return "subscribe" if is_free or version.price else "blocked"


def is_upgrade(subscription: OrganizationSubscription, version: PlanVersion, quantity: int) -> bool:
    """
    Tell whether a change takes place at once: it costs more for periods of the same length.

    Everything else waits for the end of the period, which is paid.
    """
    old = subscription.version
    same = (old.interval, old.interval_count) == (version.interval, version.interval_count)
    return same and version.price * quantity > old.price * subscription.quantity


def changes_of(subscription: OrganizationSubscription) -> QuerySet[SubscriptionChange]:
    """Return what was asked of a subscription, the newest first."""
    rows = SubscriptionChange.objects.filter(subscription=subscription)
    return rows.select_related("version__plan", "old_version__plan").order_by("-created_at")


def carried_over(row: OrganizationSubscription) -> int:
    """Return what is left of the credits that the period before this one left over."""
    lots = Lot.objects.filter(
        wallet=main_wallet(row.organization),
        kind=Lot.Kind.SUBSCRIPTION,
        origin__startswith="rollover:",
        expires_at=row.current_period_end,
    )
    return lots.aggregate(left=Sum("remaining"))["left"] or 0


def taken_by_changes(row: OrganizationSubscription) -> int:
    """Return how many credits of the period that runs were exchanged for another plan's."""
    changes = SubscriptionChange.objects.filter(
        subscription=row, posted_at__gte=row.current_period_start
    )
    return changes.aggregate(taken=Sum("credits_taken"))["taken"] or 0
