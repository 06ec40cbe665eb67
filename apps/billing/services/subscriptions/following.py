"""Bring a subscription to where Stripe says that it is; in any order, and however often."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.billing.gateway import objects
from apps.billing.gateway import subscriptions as gateway
from apps.billing.models import Customer, OrganizationSubscription
from apps.billing.services.handling import NotKnownYet
from apps.billing.services.subscriptions import invoices, own_periods, seats
from apps.billing.services.subscriptions.cycles import moment_of
from apps.billing.services.subscriptions.locking import lock_subscriptions
from apps.core import scope
from apps.core.clock import database_now, workers_now
from apps.core.db import inside_transaction, outside_transaction
from apps.tenants.services.audit import record

Json = Mapping[str, Any]
Status = OrganizationSubscription.Status

_STATUS = {
    "incomplete": Status.INCOMPLETE,
    "incomplete_expired": Status.EXPIRED,
    "trialing": Status.TRIAL,
    "active": Status.ACTIVE,
    "past_due": Status.PAST_DUE,
    "unpaid": Status.PAST_DUE,
    "paused": Status.PAUSED,
    "canceled": Status.CANCELLED,
}


class Overtaken(Exception):
    """What was asked for is older than what stands here by now: it has to be asked for again."""


@outside_transaction
def ask_for(subscription_id: str) -> Json:
    """Ask Stripe for a subscription and its invoices, noting when that was."""
    asked_at = workers_now()
    return {**gateway.retrieve_whole(subscription_id), "asked_at": asked_at.isoformat()}


@outside_transaction
def look(subscription: OrganizationSubscription) -> OrganizationSubscription:
    """
    Ask Stripe how a subscription stands, and write it down.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    subscription_id = subscription.stripe_subscription_id or _begun_on_page_of(subscription)
    if not subscription_id:
        return OrganizationSubscription.objects.get(pk=subscription.pk)
    whole = ask_for(subscription_id)
    with scope.within(subscription.organization_id), transaction.atomic():
        customer = Customer.objects.select_for_update().get(
            organization=subscription.organization_id
        )
        try:
            return follow(customer=customer, whole=whole)
        except Overtaken:
            return OrganizationSubscription.objects.get(pk=subscription.pk)


def _begun_on_page_of(subscription: OrganizationSubscription) -> str:
    """Return the id of what was paid on the page where it begins; empty if nothing was yet."""
    if not subscription.stripe_session_id:
        return ""
    session = objects.retrieve("checkout.session", subscription.stripe_session_id)
    begun = session.get("subscription") or ""
    return str(begun["id"] if isinstance(begun, Mapping) else begun)


@inside_transaction
def follow(*, customer: Customer, whole: Json) -> OrganizationSubscription:
    """
    Bring the customer's subscription, its payments and credits to where Stripe's are.

    What is over stays over.

    :raises NotKnownYet: if it is none of ours, or not written down yet.
    :raises Overtaken: if newer news have been written down since it was asked for.
    """
    told = whole["subscription"]
    row = row_of(customer, told)
    asked_at = datetime.fromisoformat(whole["asked_at"])
    if row.asked_at is not None and row.asked_at > asked_at:
        raise Overtaken
    row.asked_at = asked_at
    row.stripe_subscription_id = told["id"]
    if not row.is_over:
        _write(row, told)
    row.save()
    paid_in_order = sorted(whole["invoices"], key=lambda one: (one["created"], one["id"]))
    for invoice in paid_in_order:
        invoices.follow_invoice(subscription=row, invoice=invoice)
    return row


def row_of(customer: Customer, told: Json) -> OrganizationSubscription:
    """
    Return our row, locked: by Stripe's id, or by the id that we sent along when it began.

    :raises NotKnownYet: if the customer has none such.
    """
    mine = lock_subscriptions(
        OrganizationSubscription.objects.filter(organization=customer.organization_id)
    )
    found = mine.filter(stripe_subscription_id=told["id"]).first()
    named = (told.get("metadata") or {}).get("coffer_subscription", "")
    row_id = OrganizationSubscription.read_id(named)
    if found is None and row_id is not None:
        found = mine.filter(pk=row_id, stripe_subscription_id=None).first()
    if found is None:
        raise NotKnownYet(f"no organization has the subscription {told['id']}")
    return found


def _write(row: OrganizationSubscription, told: Json) -> None:
    """Copy Stripe's state into the row, with an audit row for what changed of it."""
    before = _told_of(row)
    item = told["items"]["data"][0]
    row.version = invoices.version_of_price(item["price"]) or row.version
    row.quantity = item["quantity"]
    row.current_period_start = moment_of(item["current_period_start"])
    row.current_period_end = moment_of(item["current_period_end"])
    row.trial_end = moment_of(told["trial_end"]) if told["trial_end"] else None
    row.cancel_at_period_end = bool(told["cancel_at_period_end"] or told["cancel_at"])
    if not row.cancel_at_period_end:
        row.cancelled_at, row.cancel_reason = None, ""
    row.stripe_schedule_id = told.get("schedule") or ""
    has_come = (row.version.pk, row.quantity) == (row.next_version_id, row.next_quantity)
    if has_come or not row.stripe_schedule_id:
        row.next_version = row.next_quantity = None
    was_waiting = row.status == Status.INCOMPLETE
    _write_status(row, told)
    if was_waiting and row.status not in seats.NOT_WORKING:
        own_periods.make_way(row)  # from here on it is the plan that the organization has
    after = _told_of(row)
    if after != before:
        record(
            action="subscription.follow",
            organization=row.organization,
            object_id=row.public_id,
            before=before,
            after=after,
        )
        seats.follow_plan(row)


def _write_status(row: OrganizationSubscription, told: Json) -> None:
    status = _STATUS[told["status"]]
    if told.get("pause_collection") and status in (Status.ACTIVE, Status.TRIAL, Status.PAST_DUE):
        status = Status.PAUSED
    now = database_now()
    row.status = status
    row.past_due_since = (row.past_due_since or now) if status == Status.PAST_DUE else None
    row.paused_at = (row.paused_at or now) if status == Status.PAUSED else None
    if status != Status.INCOMPLETE:
        row.pay_url = ""
    if row.is_over:
        row.ended_at = moment_of(told["ended_at"]) if told.get("ended_at") else now


def _told_of(row: OrganizationSubscription) -> dict[str, object]:
    return {
        "status": str(row.status),
        "plan": str(row.version),
        "quantity": row.quantity,
        "ends": row.cancel_at_period_end,
    }
