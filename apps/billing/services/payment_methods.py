"""
What an organization can be charged by: listed, made the default, and removed.

Stripe is where it is kept, and is asked each time. What changes there comes back as news and
is written down then (`card_events`), so that no answer overtakes another one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from apps.billing.errors import BillingNotConfigured, PaymentMethodInUse
from apps.billing.gateway import checkout, objects
from apps.billing.gateway import payment_methods as gateway
from apps.billing.gateway.client import is_configured
from apps.billing.models import Customer
from apps.billing.selectors.reloads import reload_of
from apps.billing.selectors.subscriptions import present_of
from apps.core.db import outside_transaction
from apps.core.errors import NotFound
from apps.tenants.models import Organization
from apps.tenants.services.audit import record

Json = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """A saved payment method; of a card never more than a receipt shows."""

    id: str  # Stripe's
    type: str  # Stripe's word: card, sepa_debit
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None
    is_default: bool  # the one that is charged
    created_at: datetime


@outside_transaction
def methods_of(organization: Organization) -> list[Method]:
    """
    Return what the organization has saved, the newest first.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    if not is_configured():
        raise BillingNotConfigured
    customer = Customer.objects.filter(organization=organization).exclude(stripe_id=None).first()
    if customer is None:
        return []
    assert customer.stripe_id
    default = _default_of(objects.retrieve("customer", customer.stripe_id))
    return [_method(told, default) for told in gateway.list_methods(customer.stripe_id)]


def method_of(organization: Organization, method_id: str) -> Method:
    """
    Return the organization's payment method with this id of Stripe's.

    :raises NotFound: if it has none such; another organization's looks the same.
    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    for method in methods_of(organization):
        if method.id == method_id:
            return method
    raise NotFound


@outside_transaction
def make_default(*, organization: Organization, method_id: str) -> Method:
    """
    Let everything be charged to this payment method: a subscription as well.

    :raises NotFound: if the organization has none such.
    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeRefused: if Stripe refuses it.
    :raises StripeUnavailable: if Stripe does not answer; it may be done again.
    """
    method = method_of(organization, method_id)
    customer = _note("payment_method.default_requested", organization, method)
    subscription = present_of(organization)
    if subscription is not None and subscription.stripe_subscription_id:
        gateway.charge_subscription(
            subscription=subscription.stripe_subscription_id, payment_method=method.id
        )
    assert customer.stripe_id
    checkout.charge_from_now_on(customer=customer.stripe_id, payment_method=method.id)
    return method_of(organization, method_id)


@outside_transaction
def remove(*, organization: Organization, method_id: str) -> None:
    """
    Take a payment method off for good, unless something is charged to it.

    :raises NotFound: if the organization has none such.
    :raises PaymentMethodInUse: if automatic reload or a subscription is charged to it.
    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeRefused: if Stripe refuses it.
    :raises StripeUnavailable: if Stripe does not answer; it may be done again.
    """
    method = method_of(organization, method_id)
    if what := _charged_to(organization, method):
        raise PaymentMethodInUse(what=what)
    _note("payment_method.removal_requested", organization, method)
    gateway.detach(method.id)


def _charged_to(organization: Organization, method: Method) -> str:
    """Return what is charged to a payment method, in words; empty if nothing is."""
    reload = reload_of(organization)
    if method.is_default and reload is not None and reload.is_enabled:
        return "Automatic reload"
    subscription = present_of(organization)
    if subscription is None or not subscription.stripe_subscription_id:
        return ""
    told = objects.retrieve("subscription", subscription.stripe_subscription_id)
    own = told["default_payment_method"]
    is_charged = own == method.id if own else method.is_default
    return "The subscription" if is_charged else ""


@transaction.atomic
def _note(action: str, organization: Organization, method: Method) -> Customer:
    """Write down who asked for it, before Stripe is asked."""
    customer = Customer.objects.get(organization=organization)
    shown = ("type", "brand", "last4", "exp_month", "exp_year")
    record(
        action=action,
        organization=organization,
        object_id=customer.public_id,
        after={name: getattr(method, name) for name in shown},
    )
    return customer


def _default_of(customer: Json) -> str:
    default = (customer.get("invoice_settings") or {}).get("default_payment_method") or {}
    return str(default.get("id", ""))


def _method(told: Json, default: str) -> Method:
    card = told.get("card") or {}
    return Method(
        id=told["id"],
        type=told["type"],
        brand=card.get("brand") or "",
        last4=card.get("last4") or "",
        exp_month=card.get("exp_month"),
        exp_year=card.get("exp_year"),
        is_default=told["id"] == default,
        created_at=datetime.fromtimestamp(told["created"], UTC),
    )
