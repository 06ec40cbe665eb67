"""A pass and who buys it, for tests."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from apps.billing.models import Payment, PlanVersion, SubscriptionPlan
from apps.billing.services import checkout, purchases
from tests.billing.buying import again, press

WEEK = timedelta(days=7)


def make_pass(code="pass-7-days", **terms) -> PlanVersion:
    """Sell a pass: seven days with 150 credits for €9.00."""
    plan = SubscriptionPlan.objects.create(code=code, name=code.capitalize(), position=5)
    fields = {
        "number": 1,
        "price": 900,
        "currency": "eur",
        "interval": "pass",
        "interval_count": 7,
        "included_credits": 150,
        "max_users": 3,
        "effective_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return PlanVersion.objects.create(plan=plan, **fields | terms)


def begin(organization, version, user=None, **more) -> Payment:
    """Write the purchase of a pass down, as the first step does."""
    with transaction.atomic():
        return purchases.buy_pass(
            organization=organization, user=user, version_id=version.pk, **more
        )


def open_page(life, version) -> Payment:
    """Choose a pass, as far as Stripe's page."""
    with life.here():
        return checkout.open_checkout(begin(life.organization, version))


def buy(life, version) -> Payment:
    """Buy a pass and hear that it is paid."""
    payment = open_page(life, version)
    pay(life, payment)
    return again(payment)


def pay(life, payment) -> None:
    """Pay on Stripe's page, and hear of it."""
    press(payment)
    life.tell()
