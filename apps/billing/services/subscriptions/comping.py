"""What staff give: days of a plan without payment (comp), and longer trials."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.billing.errors import ChangeNotPossible, PlanTimeRefused
from apps.billing.models import (
    OrganizationSubscription,
    PlanTime,
    PlanVersion,
    SubscriptionChange,
)
from apps.billing.selectors.plan_times import obstacle_of, reference_of
from apps.billing.selectors.subscriptions import present_of
from apps.billing.services.customers import lock_customer
from apps.billing.services.subscriptions import changing, plan_times
from apps.billing.services.subscriptions.locking import lock_subscriptions
from apps.billing.services.versions import LONGEST_TRIAL
from apps.core import scope
from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_credits
from apps.tenants.models import Organization, User

LONGEST_GIFT = 366  # days at once
SOURCE = "comp"
SENT_BEFORE = "this form was sent before with other values. Open a new one."
Status = OrganizationSubscription.Status


@transaction.atomic
def give_time(
    *,
    time_id: UUID,
    organization: Organization,
    version: PlanVersion,
    days: int,
    reason: str,
    user: User,
) -> PlanTime:
    """
    Give an organization days of a plan, with its credits, once for each `time_id`.

    It ends by itself. Given to who has the same plan by gift or as a pass, the days follow
    that. A free plan makes way and comes back.

    :raises PlanTimeRefused: if the plan costs nothing or is archived, another is in its way,
        or the same id was sent before with other values.
    """
    lock_customer(organization=organization)
    with scope.every_organization("a form may have been sent for another organization before"):
        earlier = PlanTime.objects.filter(pk=time_id).select_related("subscription").first()
    if earlier is not None:
        sent = (earlier.organization_id, earlier.version_id, earlier.days, earlier.reason)
        if sent != (organization.pk, version.pk, days, reason):
            raise PlanTimeRefused(reason=SENT_BEFORE)
        return earlier
    if problem := _problem_of_gift(organization, version, days):
        raise PlanTimeRefused(reason=problem)
    time = plan_times.begin(
        PlanTime(
            pk=time_id,
            organization=organization,
            version=version,
            days=days,
            credits=version.included_credits,
            user=user,
            reason=reason,
        )
    )
    if time.credits:
        _grant(time)
    return time


def _problem_of_gift(organization: Organization, version: PlanVersion, days: int) -> str:
    """Say why days of a plan cannot be given; empty if they can."""
    if not version.price or not version.plan.is_active:
        return "only a plan that is sold is given. Choose another one."
    if not 1 <= days <= LONGEST_GIFT:
        return f"give 1 to {LONGEST_GIFT} days."
    return obstacle_of(present_of(organization), version, database_now())


def _grant(time: PlanTime) -> None:
    grant_credits(
        wallet=main_wallet(time.organization),
        amount=time.credits,
        kind=Lot.Kind.PROMOTIONAL,
        reference=reference_of(time),
        source=SOURCE,
        source_id=time.public_id,
        expires_at=time.credits_end_at,
        description=f"{time.version.plan.name}: given for {time.days} days",
    )


@outside_transaction
def extend_trial(
    *,
    change_id: UUID,
    subscription: OrganizationSubscription,
    days: int,
    reason: str,
    user: User,
) -> OrganizationSubscription:
    """
    Let a trial last so many days more, at Stripe as well, once for each `change_id`.

    Its unused credits live as long.

    :raises ChangeNotPossible: if it is no trial, ends or changes by plan, or would be too long.
    :raises ChangeUnderWay: if something else is being asked of it.
    :raises StripeRefused: if Stripe refuses it; nothing was changed.
    :raises StripeUnavailable: if its answer got lost; it is asked for again by itself.
    """
    with transaction.atomic():
        row = lock_subscriptions(OrganizationSubscription.objects.all()).get(pk=subscription.pk)
        known = row.changes.select_related("subscription__organization", "organization")
        change = known.filter(pk=change_id).first()
        if change is None:
            change = _write_down(row, change_id, days, reason, user)
    return changing.carry_out(change)


def _write_down(
    row: OrganizationSubscription, change_id: UUID, days: int, reason: str, user: User
) -> SubscriptionChange:
    if problem := _problem_of_trial(row, days):
        raise ChangeNotPossible(reason=problem)
    assert row.trial_end is not None, "a trial has an end"
    return changing.write_down(
        SubscriptionChange(
            pk=change_id,
            subscription=row,
            kind=SubscriptionChange.Kind.TRIAL,
            moment=row.trial_end + timedelta(days=days),
            reason=reason,
            user=user,
        )
    )


def _problem_of_trial(row: OrganizationSubscription, days: int) -> str:
    """Say why a trial cannot last so many days more; empty if it can."""
    if row.status != Status.TRIAL or row.trial_end is None:
        return "only a trial is made longer. Give a plan, or credits, in place of it."
    if row.cancel_at_period_end or row.stripe_schedule_id:
        return "an end or a change is scheduled. The customer undoes that first."
    latest = database_now() + timedelta(days=LONGEST_TRIAL)
    if days < 1 or row.trial_end + timedelta(days=days) > latest:
        return f"a trial ends at most {LONGEST_TRIAL} days from now."
    return ""
