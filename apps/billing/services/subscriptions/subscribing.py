"""Begin a subscription: our row first, then Stripe's page on which it is paid."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.billing.errors import (
    AlreadySubscribed,
    PlanNotOffered,
    QuantityNotOffered,
    StripeRefused,
    StripeUnavailable,
)
from apps.billing.gateway import checkout as gateway
from apps.billing.models import OrganizationSubscription, PlanVersion
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.customers import ensure_customer, lock_customer
from apps.billing.services.subscriptions import abandoning, own_periods
from apps.billing.services.subscriptions.locking import lock_subscriptions
from apps.core.clock import workers_now
from apps.core.db import outside_transaction
from apps.tenants.models import Organization
from apps.tenants.services.audit import record

Status = OrganizationSubscription.Status


@outside_transaction
def make_way(*, organization: Organization, version: PlanVersion, quantity: int = 1) -> None:
    """
    Give up a subscription that waits for its first payment, if another choice is made now.

    :raises AlreadySubscribed: if it was paid meanwhile.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    waiting = reading.waiting_of(organization)
    if waiting is not None and not _is_for(waiting, version, quantity):
        abandoning.give_up(waiting)


@transaction.atomic
def begin(
    *, organization: Organization, version: PlanVersion, quantity: int = 1
) -> OrganizationSubscription:
    """
    Write a subscription down; a free plan works from now on, a paid one once it is paid.

    The same choice made twice is one subscription. A free plan, or what is limited, goes on
    beside a paid one until that is paid, and ends in the transaction in which it begins.

    :raises PlanNotOffered: if the plan is not offered, or not sold at Stripe yet.
    :raises QuantityNotOffered: if it is not bought for a number of units.
    :raises AlreadySubscribed: if there is a subscription; that is changed instead.
    """
    check_choice(version, quantity)
    lock_customer(organization=organization)  # of those who begin at once, the first one does
    for row in reversed(reading.standing_of(organization)):  # what waits first
        if row is not None and _is_the_same(row, version, quantity):
            return row
        if row is not None and not _goes_on_beside(row, version):
            raise AlreadySubscribed(plan=row.version.plan.name)
    row = OrganizationSubscription(
        organization=organization, version=version, quantity=quantity, status=Status.INCOMPLETE
    )
    if not version.price:
        own_periods.start(row)
        own_periods.make_way(row)  # one free plan for another
    row.save(force_insert=True)
    record(
        action="subscription.begin",
        organization=organization,
        object_id=row.public_id,
        after={"plan": str(version), "quantity": quantity, "status": str(row.status)},
    )
    if not version.price:
        own_periods.give(row)
    return row


def check_choice(version: PlanVersion, quantity: int) -> None:
    """
    Check that a plan can be subscribed to, for so many units.

    :raises PlanNotOffered: if it is not offered, is a pass, or has no price at Stripe yet.
    :raises QuantityNotOffered: if it is not bought for a number of units.
    """
    is_at_stripe = bool(version.stripe_price_id) or not version.price
    if not version.plan.is_active or version.is_pass or not is_at_stripe:
        raise PlanNotOffered
    if quantity != 1 and not version.has_quantity:
        raise QuantityNotOffered(field="quantity", allowed="at 1: this plan is not sold by units")


def _is_the_same(row: OrganizationSubscription, version: PlanVersion, quantity: int) -> bool:
    """Tell whether this choice was made before: it waits for its payment, or costs nothing."""
    repeats = row.status == Status.INCOMPLETE or not version.price
    return repeats and _is_for(row, version, quantity)


def _is_for(row: OrganizationSubscription, version: PlanVersion, quantity: int) -> bool:
    return (row.version_id, row.quantity) == (version.pk, quantity)


def _goes_on_beside(row: OrganizationSubscription, version: PlanVersion) -> bool:
    """Tell whether a subscription may be there while another choice begins."""
    if row.status == Status.INCOMPLETE or row.stripe_subscription_id:
        return False
    return bool(version.price) or not row.is_limited


@outside_transaction
def open_checkout(row: OrganizationSubscription) -> OrganizationSubscription:
    """
    Ask Stripe for the page on which a subscription is paid, unless it has one or needs none.

    :raises StripeRefused: if Stripe refuses it; the subscription is over then.
    :raises StripeUnavailable: if its answer got lost; whoever asks again gets the same page.
    """
    if row.status != Status.INCOMPLETE or row.pay_url:
        return row
    question = _question_of(row)
    if question is None:
        return OrganizationSubscription.objects.select_related("version__plan").get(pk=row.pk)
    try:
        session = gateway.create_session(key=row.public_id, question=question)
    except StripeUnavailable as error:
        raise StripeUnavailable(subscription=row.public_id) from error
    except StripeRefused:
        abandoning.end_unpaid(row)
        raise
    with transaction.atomic():
        row = _lock(row)
        row.stripe_session_id = session["id"]
        if row.status == Status.INCOMPLETE:
            row.pay_url = session.get("url") or ""
        row.save(update_fields=["stripe_session_id", "pay_url"])
    return row


def _question_of(row: OrganizationSubscription) -> dict[str, Any] | None:
    """Return what is asked for, written down before it is; None if that is over by now."""
    customer = ensure_customer(organization=row.organization)
    with transaction.atomic():
        row = _lock(row)
        if row.status != Status.INCOMPLETE or row.pay_url:
            return None
        if row.question is None:
            row.question = _question(row, str(customer.stripe_id))
            row.asked_at = workers_now()
            row.save(update_fields=["question", "asked_at"])
            row.refresh_from_db(fields=["question"])  # as it is read back from now on
        question: dict[str, Any] = row.question
        return question


def _question(row: OrganizationSubscription, customer_id: str) -> dict[str, Any]:
    address = f"{settings.BASE_URL}{reverse('billing:subscription', args=[row.organization.slug])}"
    told = {"coffer_subscription": row.public_id}
    about: dict[str, Any] = {"metadata": told}
    if row.version.trial_days and not reading.had_trial(row.organization):
        about["trial_period_days"] = row.version.trial_days
    return {
        "mode": "subscription",
        "customer": customer_id,
        "client_reference_id": row.public_id,
        "line_items": [{"price": row.version.stripe_price_id, "quantity": row.quantity}],
        "metadata": told,
        "subscription_data": about,
        "success_url": f"{address}?paid=1",
        "cancel_url": address,
    }


def _lock(row: OrganizationSubscription) -> OrganizationSubscription:
    return lock_subscriptions(OrganizationSubscription.objects.all()).get(pk=row.pk)
