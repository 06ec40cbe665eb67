"""Ask something of a subscription: written down, then asked at Stripe, then followed."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from apps.billing.errors import (
    AuthenticationNeeded,
    ChangeNotPossible,
    ChangeUnderWay,
    NotSubscribed,
    PaymentDeclined,
    StripeRefused,
)
from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionChange
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.subscriptions import asking, following, prorations
from apps.billing.services.subscriptions.locking import lock_subscriptions
from apps.billing.services.subscriptions.subscribing import check_choice
from apps.core.clock import database_now, workers_now
from apps.core.db import inside_transaction, outside_transaction
from apps.tenants.models import Organization, User
from apps.tenants.services.audit import record

Change = SubscriptionChange
Kind = SubscriptionChange.Kind
Status = OrganizationSubscription.Status
PREVIEW_HOLDS = timedelta(hours=1)  # so long what was shown may be agreed to
WORKING = (Status.ACTIVE, Status.TRIAL)


@transaction.atomic
def request(
    *,
    organization: Organization,
    kind: SubscriptionChange.Kind,
    reason: str = "",
    user: User | None = None,
) -> SubscriptionChange:
    """
    Write down that a subscription shall end, go on, pause or resume.

    :raises NotSubscribed: if there is no subscription.
    :raises ChangeNotPossible: if that does not fit how it stands.
    :raises ChangeUnderWay: if something else is being asked of it.
    """
    row = lock_present(organization)
    if problem := _problem(row, kind):
        raise ChangeNotPossible(reason=problem)
    return write_down(Change(subscription=row, kind=kind, reason=reason, user=user))


@transaction.atomic
def request_plan(
    *,
    organization: Organization,
    version: PlanVersion,
    quantity: int = 1,
    moment: datetime | None = None,
    user: User | None = None,
) -> SubscriptionChange:
    """
    Write down that a subscription shall be for something else: at once if it costs more.

    `moment` is that of the preview that was agreed to; without one it is now.

    :raises NotSubscribed: if there is no subscription.
    :raises PlanNotOffered: if the plan is not offered, or not sold at Stripe.
    :raises QuantityNotOffered: if it is not bought for a number of units.
    :raises ChangeNotPossible: if that does not fit how it stands.
    :raises ChangeUnderWay: if something else is being asked of it.
    """
    return write_down(plan_change(lock_present(organization), version, quantity, moment, user))


def plan_change(
    row: OrganizationSubscription,
    version: PlanVersion,
    quantity: int,
    moment: datetime | None = None,
    user: User | None = None,
) -> SubscriptionChange:
    """
    Return the change of plan that this would be, not saved.

    :raises PlanNotOffered: if the plan is not offered, or not sold at Stripe.
    :raises QuantityNotOffered: if it is not bought for a number of units.
    :raises ChangeNotPossible: if that does not fit how it stands.
    """
    check_choice(version, quantity)
    now = database_now()
    if problem := _problem_of_plan(row, version, quantity, moment, now):
        raise ChangeNotPossible(reason=problem)
    is_now = reading.is_upgrade(row, version, quantity)
    return Change(
        subscription=row,
        organization=row.organization,
        kind=Kind.NOW if is_now else Kind.LATER,
        version=version,
        quantity=quantity,
        old_version=row.version,
        old_quantity=row.quantity,
        moment=(moment or now).replace(microsecond=0) if is_now else None,
        user=user,
    )


def _problem_of_plan(
    row: OrganizationSubscription,
    version: PlanVersion,
    quantity: int,
    moment: datetime | None,
    now: datetime,
) -> str:
    """Say why a subscription cannot be for something else; empty if it can."""
    is_paid_for = bool(row.stripe_subscription_id and version.price)
    begun = max(now - PREVIEW_HOLDS, row.current_period_start or now)
    rules = (
        (row.status in WORKING, f"it is {row.get_status_display().lower()}."),
        (is_paid_for, "a free plan is subscribed to or left, not changed to."),
        (version.currency == row.version.currency, "the plan is sold in another currency."),
        (
            (version.pk, quantity) != (row.version_id, row.quantity),
            "this is the plan that you have.",
        ),
        (
            not row.cancel_at_period_end and not row.stripe_schedule_id,
            "an end or another change is scheduled. Undo that first.",
        ),
        (
            moment is None or begun <= moment <= now,
            "the preview is too old. Look at it again.",
        ),
    )
    return next((problem for holds, problem in rules if not holds), "")


def _problem(row: OrganizationSubscription, kind: SubscriptionChange.Kind) -> str:
    """Say why what was asked does not fit how a subscription stands; empty if it does."""
    has_plans = row.cancel_at_period_end or bool(row.stripe_schedule_id)
    match kind:
        case Kind.CANCEL if row.status == Status.INCOMPLETE:
            return "it is not paid yet. It ends by itself."
        case Kind.CANCEL if row.cancel_at_period_end or row.is_limited:
            return "it ends already."
        case Kind.UNDO if not has_plans:
            return "nothing is scheduled."
        case Kind.PAUSE if row.status != Status.ACTIVE or not row.stripe_subscription_id:
            return "only a paid plan that is active can be paused."
        case Kind.RESUME if row.status != Status.PAUSED:
            return "it is not paused."
    return ""


def lock_present(organization: Organization) -> OrganizationSubscription:
    """
    Return the subscription that the organization has, or waits to pay, locked.

    :raises NotSubscribed: if there is none.
    """
    rows = OrganizationSubscription.objects.filter(organization=organization)
    rows = rows.exclude(status__in=OrganizationSubscription.OVER).order_by(reading.WAITING)
    found = lock_subscriptions(rows).first()
    if found is None:
        raise NotSubscribed
    return found


@inside_transaction
def write_down(change: SubscriptionChange) -> SubscriptionChange:
    """
    Write down what is asked of a locked subscription.

    :raises ChangeUnderWay: if something else is being asked of it.
    """
    change.organization = change.subscription.organization
    try:
        with transaction.atomic():
            change.save(force_insert=True)
    except IntegrityError as error:
        raise ChangeUnderWay from error
    after: dict[str, Any] = {}
    if change.version:
        after = {"plan": str(change.version), "quantity": change.quantity}
    if change.reason:
        after["note"] = change.reason  # kept beside the row, so that it can be erased
    record(
        action=f"subscription.{change.kind}",
        organization=change.organization,
        object_id=change.subscription.public_id,
        before={"plan": str(change.old_version)} if change.old_version else None,
        after=after or None,
    )
    return change


@outside_transaction
def carry_out(change: SubscriptionChange) -> OrganizationSubscription:
    """
    Ask Stripe for a change that is written down, and follow what that did.

    :raises PaymentDeclined: if it cannot be paid; nothing was changed.
    :raises AuthenticationNeeded: if the bank wants to see the customer; nothing was changed.
    :raises StripeRefused: if Stripe refuses it; nothing was changed.
    :raises ChangeNotPossible: if it was refused before.
    :raises StripeUnavailable: if its answer got lost; it is asked for again by itself.
    """
    row = change.subscription
    answer: dict[str, Any] = {}
    if change.status == Change.Status.REFUSED:
        raise ChangeNotPossible(reason=change.error)
    if change.status != Change.Status.ASKED:
        return following.look(row)
    if row.stripe_subscription_id:
        try:
            answer = asking.ask_stripe(change)
        except (PaymentDeclined, AuthenticationNeeded, StripeRefused) as error:
            _refuse(change, str(error))
            raise
    _accept(change, answer)
    return following.look(row)


@transaction.atomic
def _refuse(change: SubscriptionChange, why: str) -> None:
    change = SubscriptionChange.objects.select_for_update().get(pk=change.pk)
    if change.status == Change.Status.ASKED:
        change.status, change.error = Change.Status.REFUSED, why
        change.save(update_fields=["status", "error"])
        record(
            action="subscription.refused",
            organization=change.organization,
            object_id=change.subscription.public_id,
            reason=why,
        )


@transaction.atomic
def _accept(change: SubscriptionChange, answer: dict[str, Any]) -> None:
    """Write Stripe's answer down; what it means for money and credits, its news tell."""
    row = lock_subscriptions(OrganizationSubscription.objects.all()).get(pk=change.subscription_id)
    change = SubscriptionChange.objects.select_for_update().get(pk=change.pk)
    change.subscription = row
    if change.status == Change.Status.ASKED:
        change.status = Change.Status.ACCEPTED
        change.save(update_fields=["status"])
    match change.kind:
        case Kind.NOW:
            _note_invoice(change, answer)
        case Kind.LATER:
            row.next_version, row.next_quantity = change.version, change.quantity
            row.stripe_schedule_id = answer["id"]
        case Kind.CANCEL:
            row.cancel_at_period_end = True
            row.cancelled_at, row.cancel_reason = change.created_at, change.reason
        case Kind.TRIAL:
            prorations.prolong(change)
        case Kind.UNDO:
            row.cancel_at_period_end = False
            row.cancelled_at, row.cancel_reason = None, ""
            row.next_version = row.next_quantity = None
            row.stripe_schedule_id = ""
    row.asked_at = workers_now()  # what a worker asked for before this knows nothing of it
    row.save()


def _note_invoice(change: SubscriptionChange, answer: dict[str, Any]) -> None:
    """Note which invoice the change is paid by; in a trial there is nothing to pay."""
    if change.posted_at is not None:
        return
    if change.subscription.status == Status.TRIAL:
        prorations.post(change)
        return
    invoice = answer.get("latest_invoice")
    change.stripe_invoice_id = invoice["id"] if isinstance(invoice, dict) else invoice
    change.save(update_fields=["stripe_invoice_id"])
