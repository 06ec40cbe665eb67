"""The card that an organization pays with: what we know of it, and where it is changed."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse

from apps.billing.gateway import checkout as gateway
from apps.billing.models import Customer
from apps.billing.selectors.offers import MONEY
from apps.billing.services.customers import ensure_customer
from apps.billing.signals import card_changed
from apps.core.db import inside_transaction, outside_transaction
from apps.tenants.models import Organization
from apps.tenants.selectors.config import value_of
from apps.tenants.services.audit import record

Json = Mapping[str, Any]


@inside_transaction
def keep_card(*, customer: Customer, method: Json | None) -> Customer:
    """
    Write down which payment method a locked customer pays with, or that there is none.

    Never more of a card than a receipt shows: brand, last four digits, expiry.
    """
    card = (method or {}).get("card") or {}
    known = {
        "payment_method_id": (method or {}).get("id") or "",
        "card_fingerprint": card.get("fingerprint") or "",
        "card_brand": card.get("brand") or "",
        "card_last4": card.get("last4") or "",
        "card_exp_month": card.get("exp_month"),
        "card_exp_year": card.get("exp_year"),
    }
    before = {name: getattr(customer, name) for name in known}
    if before == known:
        return customer
    for name, value in known.items():
        setattr(customer, name, value)
    customer.save(update_fields=list(known))
    shown = ("card_brand", "card_last4", "card_exp_month", "card_exp_year")
    record(
        action="payment_method.changed",
        organization=customer.organization,
        object_id=customer.public_id,
        before={name: before[name] for name in shown},
        after={name: known[name] for name in shown},
    )
    card_changed.send(sender=Customer, customer=customer)
    return customer


@outside_transaction
def page_to_save_card(*, organization: Organization, key: str = "") -> str:
    """
    Return the address of a page of Stripe's that saves a card; for the browser alone.

    With a key, repeated, it is the same page for a day.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeRefused: if Stripe refuses it.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    customer = ensure_customer(organization=organization)
    assert customer.stripe_id
    return gateway.create_setup(
        customer=customer.stripe_id,
        currency=value_of(MONEY),
        success_url=f"{_address(organization)}?saved=1",
        cancel_url=_address(organization),
        key=key,
    )


@outside_transaction
def portal_page(*, organization: Organization) -> str:
    """
    Return the address of Stripe's portal; for the browser alone, and only for a short time.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeRefused: if Stripe refuses it.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    customer = ensure_customer(organization=organization)
    assert customer.stripe_id
    return gateway.create_portal(customer=customer.stripe_id, return_url=_address(organization))


def _address(organization: Organization) -> str:
    path = reverse("billing:payment_methods", args=[organization.slug])
    return f"{settings.BASE_URL}{path}"
