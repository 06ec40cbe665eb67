"""Customers: each organization has one at Stripe, made when it is first needed."""

from django.conf import settings
from django.db import transaction

from apps.billing.gateway import customers as gateway
from apps.billing.models import Customer
from apps.billing.services import sandbox_clocks
from apps.core.db import inside_transaction, outside_transaction
from apps.tenants.models import Organization


def write_down(organization: Organization) -> Customer:
    """Return the organization's row, which Stripe may not have been asked about yet."""
    customer, _ = Customer.objects.get_or_create(
        organization=organization, defaults={"is_live": settings.STRIPE_LIVE_MODE}
    )
    return customer


@outside_transaction
def ensure_customer(*, organization: Organization) -> Customer:
    """
    Return the organization's customer, made at Stripe if it is not there yet.

    Our row is committed first and its id is the key, so that whoever asks at the same time,
    or asks again after a lost answer, gets the same customer.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    customer = write_down(organization)
    if customer.stripe_id:
        return customer
    made = gateway.create_customer(
        key=customer.public_id,
        name=organization.name,
        email=organization.billing_email,
        organization=organization.public_id,
        test_clock=sandbox_clocks.ensure_clock(organization),
    )
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=customer.pk)
        if not customer.stripe_id:
            customer.stripe_id = made["id"]
            customer.save(update_fields=["stripe_id"])
    return customer


@inside_transaction
def lock_customer(*, organization: Organization) -> Customer:
    """Lock the organization's customer, which comes before its subscriptions and payments."""
    Customer.objects.get_or_create(
        organization=organization, defaults={"is_live": settings.STRIPE_LIVE_MODE}
    )
    return Customer.objects.select_for_update().get(organization=organization)
