"""
Buying credits and passes: a payment is written down, and then Stripe is asked for its page.

Each step can be the last one before a crash. What is written down is asked again with the
same key and the same words, by whoever looks at the payment and by the sweep, and so leads to
the same session at Stripe and never to a second charge.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from apps.billing.errors import (
    AmountNotOffered,
    BillingNotConfigured,
    NotForSale,
    PlanNotOffered,
    PlanTimeRefused,
    PriceChanged,
)
from apps.billing.gateway.client import is_configured
from apps.billing.models import Payment, PlanVersion, ProductVersion
from apps.billing.selectors.catalogue import products_in_force
from apps.billing.selectors.offers import custom_terms
from apps.billing.selectors.plan_times import obstacle_of, pass_named
from apps.billing.selectors.subscriptions import present_of
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.tenants.models import Organization, User
from apps.tenants.services.audit import record

SESSION_LIVES = timedelta(hours=6)  # so long a price holds that nobody has paid yet
# What others wait for is held for as long: Stripe's shortest, and some minutes for a lost answer.
HELD_SESSION_LIVES = timedelta(minutes=40)


def lives_of(payment: Payment) -> timedelta:
    """Return how long after it was written down a payment can be paid on Stripe's page."""
    return HELD_SESSION_LIVES if payment.subject_id else SESSION_LIVES


@inside_transaction
def buy_pack(
    *, organization: Organization, user: User, version_id: UUID, amount: int | None = None
) -> Payment:
    """
    Write down that a pack is bought, at the terms of its version.

    `amount` is the price that the buyer was shown, in minor units, where he was shown one.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises NotForSale: if there is no such pack, or it is offered no more.
    :raises PriceChanged: if another version holds by now, or the price is another.
    """
    version = ProductVersion.objects.select_related("product").filter(pk=version_id).first()
    current = products_in_force().filter(product=version.product).first() if version else None
    if version is None or current is None:
        raise NotForSale
    if current.pk != version.pk or amount not in (None, version.price):
        raise PriceChanged
    return _write_down(
        Payment(
            organization=organization,
            user=user,
            purpose=Payment.Purpose.PACK,
            product_version=version,
            credits=version.all_credits,
            valid_days=version.valid_days,
            amount=version.price,
            currency=version.currency,
        )
    )


@inside_transaction
def buy_amount(
    *, organization: Organization, user: User, credits: int, amount: int | None = None
) -> Payment:
    """
    Write down that so many credits are bought, at the price for amounts of one's own choice.

    `amount` is the price that the buyer was shown, in minor units, where he was shown one.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises NotForSale: if no amounts of one's own choice are offered.
    :raises AmountNotOffered: if it is too little or too much at once.
    :raises PriceChanged: if the price is another than the one that was shown.
    """
    terms = custom_terms()
    if terms is None:
        raise NotForSale
    if not terms.minimum <= credits <= terms.maximum:
        raise AmountNotOffered(field="credits", minimum=terms.minimum, maximum=terms.maximum)
    price = terms.amount_of(credits)
    if amount not in (None, price):
        raise PriceChanged
    return _write_down(
        Payment(
            organization=organization,
            user=user,
            purpose=Payment.Purpose.CUSTOM,
            credits=credits,
            valid_days=terms.valid_days,
            amount=price,
            currency=terms.currency,
        )
    )


@inside_transaction
def buy_pass(
    *, organization: Organization, user: User, version_id: UUID, amount: int | None = None
) -> Payment:
    """
    Write down that a pass is bought, at the terms of its version.

    `amount` is the price that the buyer was shown, in minor units, where he was shown one.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises PlanNotOffered: if there is no such pass, or it is offered no more.
    :raises PriceChanged: if another version holds by now, or the price is another.
    :raises PlanTimeRefused: if the organization's plan is in its way.
    """
    version = PlanVersion.objects.select_related("plan").filter(pk=version_id).first()
    current = pass_named(version.plan.code) if version else None
    if version is None or current is None:
        raise PlanNotOffered
    if current.pk != version.pk or amount not in (None, version.price):
        raise PriceChanged
    if obstacle := obstacle_of(present_of(organization), version, database_now()):
        raise PlanTimeRefused(reason=obstacle)
    return _write_down(
        Payment(
            organization=organization,
            user=user,
            purpose=Payment.Purpose.PASS,
            plan_version=version,
            credits=version.included_credits,
            valid_days=version.interval_count,
            amount=version.price,
            currency=version.currency,
        )
    )


@inside_transaction
def charge_for(
    *,
    organization: Organization,
    user: User | None,
    purpose: Payment.Purpose,
    subject_id: UUID,
    description: str,
    amount: int,
    currency: str,
) -> Payment:
    """
    Write down that something is bought of an app above, which has locked it: once at a time.

    `amount` is in minor units; `description` is what the customer reads at Stripe and here.

    :raises BillingNotConfigured: if there is no key for Stripe.
    """
    return _write_down(
        Payment(
            organization=organization,
            user=user,
            purpose=purpose,
            subject_id=subject_id,
            description=description,
            amount=amount,
            currency=currency,
        )
    )


def _write_down(payment: Payment) -> Payment:
    if not is_configured():
        raise BillingNotConfigured
    payment.is_live = settings.STRIPE_LIVE_MODE
    payment.save(force_insert=True)
    payment.refresh_from_db()
    record(
        action="payment.created",
        organization=payment.organization,
        object_id=payment.public_id,
        after={
            "purpose": payment.purpose,
            "amount": payment.amount,
            "currency": payment.currency,
            "credits": payment.credits,
        },
    )
    return payment
