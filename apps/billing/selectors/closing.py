"""What keeps an organization open: money that is still to come for it."""

from django.db.models import Q

from apps.billing.errors import BillingUnderWay
from apps.billing.models import InvoiceAttempt, OrganizationSubscription, Payment
from apps.tenants.models import Organization

Status = OrganizationSubscription.Status


def money_to_come(organization: Organization) -> BillingUnderWay | None:
    """
    Return what stands against closing: a plan that Stripe charges, or a payment in flight.

    A plan that ends with its period is paid for, and no more is charged.
    """
    at_stripe = OrganizationSubscription.objects.filter(
        Q(status=Status.INCOMPLETE) | Q(stripe_subscription_id__isnull=False),
        organization=organization,
    ).exclude(status__in=OrganizationSubscription.OVER)
    for row in at_stripe.select_related("version__plan"):
        if reason := _reason(row):
            return BillingUnderWay(reason=reason)
    in_flight = Payment.objects.filter(organization=organization, status__in=Payment.IN_FLIGHT)
    if in_flight.exists():
        return BillingUnderWay(
            reason="A payment is under way. Wait until it is paid or over; a page that nobody "
            "pays is over after six hours."
        )
    asked = InvoiceAttempt.objects.filter(organization=organization, status="asked")
    if asked.exists():
        return BillingUnderWay(reason="An invoice is being paid. Wait until Stripe has answered.")
    return None


def _reason(row: OrganizationSubscription) -> str:
    """Say what is to be done about a subscription first; empty if nothing is."""
    name = row.version.plan.name
    if row.status == Status.INCOMPLETE:
        return (
            f"The plan {name} waits for its first payment. Pay it, or wait; a page that nobody "
            "pays is over after a day."
        )
    if row.status == Status.PAST_DUE:
        return f"A payment for the plan {name} is open. Pay it, or wait until the plan is over."
    if not row.cancel_at_period_end:
        return f"The plan {name} goes on. End it on the page of the subscription first."
    return ""
