"""Automatic reload in tests: who has agreed to it, with which card, and how credits go."""

from datetime import timedelta
from itertools import count

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.billing.models import AutoReload, Customer, Payment
from apps.billing.services import reload_settings, reloads
from apps.billing.services.customers import ensure_customer
from apps.credits.models import Wallet
from apps.credits.services.charges import charge_amount
from tests.people import make_member

_number = count(1)
TERMS = {"is_enabled": True, "threshold": 500, "amount": 1000}


def with_card(stripe, organization, card="pm_card_visa"):
    """Let the organization have a saved card, at Stripe and with us."""
    customer = ensure_customer(organization=organization)
    method = stripe.v1.payment_methods.attach(card, {"customer": customer.stripe_id})
    stripe.v1.customers.update(
        customer.stripe_id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    stripe.tell()
    return Customer.objects.get(pk=customer.pk)


def agree(organization, user=None, *, has_agreed=True, **terms):
    """Set automatic reload: below 500 credits, 1,000 more, unless said otherwise."""
    with transaction.atomic():
        return reload_settings.set_reload(
            organization=organization,
            user=user or make_member(organization, "owner"),
            wanted=reload_settings.Wanted(**(TERMS | terms)),
            has_agreed=has_agreed,
        )


def ready(stripe, organization, card="pm_card_visa", **terms):
    """Return an automatic reload that charges as soon as it is asked: the trial is below 500."""
    with_card(stripe, organization, card)
    return agree(organization, **terms)


def spend(organization, amount=1):
    """Use credits."""
    wallet = Wallet.objects.get(organization=organization, kind="organization")
    charge_amount(wallet=wallet, amount=amount, reference=f"use:{next(_number)}", source="test")


def attempt(organization):
    """Do what a worker does that was rung."""
    return reloads.reload_if_low(organization.pk)


def later(**time):
    """Let everything about reloads have been earlier."""
    by = timedelta(**time)
    Payment.objects.update(created_at=F("created_at") - by, asked_at=F("asked_at") - by)
    AutoReload.objects.update(
        last_attempt_at=F("last_attempt_at") - by, back_off_until=F("back_off_until") - by
    )


def now_is(reload):
    """Read an automatic reload as it is now."""
    return AutoReload.objects.select_related("organization").get(pk=reload.pk)


def charges(stripe):
    """Return what Stripe has charged."""
    return [one for one in stripe.v1.charges.list({"limit": 100}).data if one.paid]


def tries(stripe):
    """Return how often a bank was asked."""
    return len(stripe.v1.charges.list({"limit": 100}).data)


def today():
    """Return the moment, by our clock."""
    return timezone.now()
