"""Buying in tests: something that is sold, who buys it, and what he does on Stripe's pages."""

import re
from datetime import UTC, datetime

from django.db import transaction

from apps.billing.models import CreditProduct, Payment, ProductVersion
from apps.billing.services import checkout, purchases
from apps.credits.models import CreditTransaction, Wallet
from apps.tenants.models import AdminConfig
from tests.simulator.browsing import visit

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
POOR = "4000000000009995"
ASKING = "4000002760003184"


def make_pack(code="starter", **fields):
    """Offer a pack: 1,000 credits and 50 more for €19.00, for a year, unless said otherwise."""
    product = CreditProduct.objects.create(code=code, name=code.title())
    terms = {
        "credits": 1000,
        "bonus_credits": 50,
        "price": 1900,
        "currency": "eur",
        "valid_days": 365,
        "number": 1,
        "effective_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return ProductVersion.objects.create(product=product, **(terms | fields))


def begin(organization, version, user=None):
    """Write a purchase down, as the first step does."""
    with transaction.atomic():
        return purchases.buy_pack(organization=organization, user=user, version_id=version.pk)


def buy(organization, version, user=None):
    """Buy a pack, as far as Stripe's page."""
    return checkout.open_checkout(begin(organization, version, user))


def press(payment, card=GOOD, **more):
    """Pay on Stripe's page, or try to; return the page that comes."""
    return visit(payment.pay_url, action="pay", card=card, email="buyer@example.com", **more)


def set_value(key, value):
    """Let staff have set a value."""
    AdminConfig.objects.update_or_create(key=key, defaults={"value": value})


def balance(organization):
    """Return what the organization has."""
    return Wallet.objects.get(organization=organization, kind="organization").balance


def grants(organization):
    """Return the ledger's entries of purchases."""
    return CreditTransaction.objects.filter(organization=organization, transaction_type="purchased")


def again(payment):
    """Read a payment as it is now."""
    return Payment.objects.select_related("organization").get(pk=payment.pk)


def text_of(answer):
    """Return a page's text with single spaces, without its markup."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", answer.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
