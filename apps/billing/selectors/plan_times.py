"""Passes and given time: when they would begin and end, and what stands in their way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from apps.billing.models import OrganizationSubscription, PlanTime, PlanVersion
from apps.billing.selectors.catalogue import plans_in_force
from apps.billing.selectors.subscriptions import present_of
from apps.core.clock import database_now
from apps.credits.models import Lot
from apps.tenants.models import Organization

Status = OrganizationSubscription.Status


@dataclass(frozen=True)
class Span:
    """From when to when some days of a plan are, and which free plan comes after them."""

    begins_at: datetime
    ends_at: datetime  # exclusive; the credits that come with the days expire then
    then: PlanVersion | None


@dataclass(frozen=True)
class PassPreview:
    """What a pass costs and gives, if it is paid now."""

    version: PlanVersion
    span: Span

    @property
    def credits(self) -> int:
        """Credits that come at once."""
        return self.version.included_credits


def pass_named(code: str) -> PlanVersion | None:
    """Return the version that holds now of the pass with this code, if it is offered."""
    passes = plans_in_force().filter(interval=PlanVersion.Interval.PASS)
    return passes.filter(plan__code=code).first()


def preview_pass(organization: Organization, version: PlanVersion) -> PassPreview:
    """Return what a pass would do if it were paid now; `obstacle_of` says if it can be."""
    present = present_of(organization)
    span = span_of(present, version, timedelta(days=version.interval_count), database_now())
    return PassPreview(version, span)


def obstacle_of(
    present: OrganizationSubscription | None, version: PlanVersion, now: datetime
) -> str:
    """Say why days of a plan cannot begin now; empty if they can."""
    if present is None or present.status == Status.INCOMPLETE:
        return ""
    if present.stripe_subscription_id:
        return f"{present.version.plan.name} renews by itself. Cancel it, and wait for its end."
    if is_running(present, now) and present.version.plan_id != version.plan_id:
        return f"{present.version.plan.name} runs until {present.current_period_end:%Y-%m-%d}."
    return ""


def is_running(row: OrganizationSubscription | None, now: datetime) -> bool:
    """Tell whether a subscription is limited and its time is not over."""
    if row is None or not row.is_limited or row.is_over or row.current_period_end is None:
        return False
    return now < row.current_period_end


def span_of(
    present: OrganizationSubscription | None, version: PlanVersion, length: timedelta, now: datetime
) -> Span:
    """Return where days that begin now lie: after what runs of the same plan, or from now on."""
    begins_at, then = now.replace(microsecond=0), None
    if present is not None and present.is_limited:
        then = present.next_version
        if is_running(present, now) and present.version.plan_id == version.plan_id:
            assert present.current_period_end is not None, "the database asks for it"
            begins_at = present.current_period_end
    elif present is not None and present.status != Status.INCOMPLETE:
        then = present.version
    return Span(begins_at, begins_at + length, then)


def times_of(subscription: OrganizationSubscription) -> QuerySet[PlanTime]:
    """Return the times of a subscription in the order in which they are used."""
    rows = PlanTime.objects.filter(subscription=subscription)
    return rows.select_related("payment").order_by("created_at", "id")


def lots_of_times(times: Sequence[PlanTime]) -> list[Lot]:
    """Return the lots of the credits that came with some times of one organization."""
    references = [reference_of(time) for time in times]
    organizations = {time.organization_id for time in times}
    rows = Lot.objects.filter(organization_id__in=organizations, origin__in=references)
    return list(rows.order_by("id"))


def reference_of(time: PlanTime) -> str:
    """Return the cause of a time's credits: the payment's, or the time itself."""
    return time.payment.reference if time.payment else f"plan_time:{time.public_id}"
