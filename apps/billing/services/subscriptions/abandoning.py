"""End subscriptions that nobody has paid for."""

from datetime import timedelta

from django.db import transaction

from apps.billing.errors import AlreadySubscribed, StripeRefused, StripeUnavailable
from apps.billing.gateway import checkout as gateway
from apps.billing.gateway import objects
from apps.billing.models import Customer, OrganizationSubscription
from apps.billing.services import sweeping
from apps.billing.services.sweeping import SWEPT_AT_ONCE
from apps.core.clock import database_now, workers_now
from apps.core.db import inside_transaction, outside_transaction
from apps.tenants.services.audit import record

Status = OrganizationSubscription.Status
PAGE_LIVES = timedelta(hours=24)  # Stripe's page, and as long the key of the question for it


@outside_transaction
def give_up(row: OrganizationSubscription) -> None:
    """
    End Stripe's page for a subscription, and then the subscription.

    :raises AlreadySubscribed: if it was paid on meanwhile.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    session_id = row.stripe_session_id
    if session_id:
        session = objects.retrieve("checkout.session", session_id)
        if session["status"] == "open":
            try:
                session = gateway.expire_session(session_id)
            except StripeRefused:
                session = objects.retrieve("checkout.session", session_id)
        if session["status"] == "complete":
            raise AlreadySubscribed(plan=row.version.plan.name)
    elif row.question is not None and workers_now() < row.created_at + PAGE_LIVES:
        # Its answer got lost: somebody may be shown the page who asks again with the same key.
        raise StripeUnavailable(subscription=row.public_id)
    end_unpaid(row)


@transaction.atomic
def end_unpaid(row: OrganizationSubscription) -> None:
    """End a subscription that was not paid; one that was goes on."""
    locked = OrganizationSubscription.objects.select_for_update().get(pk=row.pk)
    if locked.status != Status.INCOMPLETE:
        return
    locked.status, locked.ended_at, locked.pay_url = Status.EXPIRED, database_now(), ""
    locked.save(update_fields=["status", "ended_at", "pay_url"])
    record(
        action="subscription.abandon",
        organization=locked.organization,
        object_id=locked.public_id,
        before={"status": str(Status.INCOMPLETE)},
        after={"status": str(locked.status)},
    )


@inside_transaction
def give_up_session(*, customer: Customer, session_id: str) -> None:
    """End the customer's subscription whose page at Stripe has ended without payment."""
    rows = OrganizationSubscription.objects.filter(organization=customer.organization_id)
    row = rows.filter(stripe_session_id=session_id).first()
    if row is not None:
        end_unpaid(row)


def sweep() -> int:
    """End what nobody has paid for in time; return how many were tried."""
    old = OrganizationSubscription.objects.filter(
        status=Status.INCOMPLETE, created_at__lte=database_now() - PAGE_LIVES
    )
    rows = old.select_related("version__plan").order_by("created_at")
    return sweeping.each(rows[:SWEPT_AT_ONCE], give_up)
