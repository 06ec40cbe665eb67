"""Begin a subscription: our row first, then Stripe's page on which it is paid."""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from apps.billing.errors import (
    AlreadySubscribed,
    PlanNotOffered,
    QuantityNotOffered,
    StripeRefused,
    StripeUnavailable,
)
from apps.billing.gateway import subscriptions as gateway
from apps.billing.models import OrganizationSubscription, PlanVersion
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.customers import ensure_customer
from apps.billing.services.subscriptions import abandoning, own_periods
from apps.core.clock import database_now
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
    present = reading.present_of(organization)
    if present is None or present.status != Status.INCOMPLETE:
        return
    if (present.version_id, present.quantity) != (version.pk, quantity):
        abandoning.give_up(present)


@transaction.atomic
def begin(
    *, organization: Organization, version: PlanVersion, quantity: int = 1
) -> OrganizationSubscription:
    """
    Write a subscription down; a free plan works from now on, a paid one once it is paid.

    The same choice made twice is one subscription.

    :raises PlanNotOffered: if the plan is not offered, or not sold at Stripe yet.
    :raises QuantityNotOffered: if it is not bought for a number of units.
    :raises AlreadySubscribed: if there is a subscription; that is changed instead.
    """
    check_choice(version, quantity)
    present = _present(organization)
    if present is not None:
        if _is_the_same(present, version, quantity):
            return present
        if present.version.price or present.status == Status.INCOMPLETE:
            raise AlreadySubscribed(plan=present.version.plan.name)
        own_periods.end(present)  # the free plan makes way for a paid one
    row = OrganizationSubscription(
        organization=organization, version=version, quantity=quantity, status=Status.INCOMPLETE
    )
    if not version.price:
        own_periods.start(row)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:  # two began at once
        present = _present(organization)
        if present is None or not _is_the_same(present, version, quantity):
            raise AlreadySubscribed(plan=version.plan.name) from error
        return present
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


def _present(organization: Organization) -> OrganizationSubscription | None:
    rows = OrganizationSubscription.objects.filter(organization=organization)
    living = rows.exclude(status__in=OrganizationSubscription.OVER)
    return living.select_for_update(of=("self",)).select_related("version__plan").first()


def _is_the_same(present: OrganizationSubscription, version: PlanVersion, quantity: int) -> bool:
    waits = present.status == Status.INCOMPLETE or not version.price
    return waits and (present.version_id, present.quantity) == (version.pk, quantity)


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
        session = gateway.create_checkout(key=row.public_id, question=question)
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
            row.asked_at = database_now()
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
    rows = OrganizationSubscription.objects.select_for_update(of=("self",))
    return rows.select_related("organization", "version__plan").get(pk=row.pk)
