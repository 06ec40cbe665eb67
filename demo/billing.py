"""What the demo sells: the tiers of the documents as plans, and three packs of credits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway.client import is_simulated
from apps.billing.models import CreditProduct, SubscriptionPlan
from apps.billing.services import catalogue, syncing, versions
from apps.core import clock, context

logger = structlog.get_logger(__name__)
SINCE = timedelta(days=400)
RAISED = timedelta(days=90)  # ago: the price of Pro

# code: name, description, and the terms. Prices are in cents.
PLANS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "free": (
        "Free",
        "To try it, for as long as you like.",
        {
            "price": 0,
            "interval": "month",
            "included_credits": 20,
            "max_users": 1,
            "features": {"max_concurrent_jobs": 1, "support": "community"},
        },
    ),
    "pass-7-days": (
        "7-day pass",
        "For one project: paid once, and over after a week.",
        {
            "price": 900,
            "interval": "pass",
            "interval_count": 7,
            "included_credits": 150,
            "max_users": 3,
            "features": {"max_concurrent_jobs": 2, "support": "community"},
        },
    ),
    "property": (
        "Per property",
        "For agencies: pay for as many properties as you look after.",
        {
            "price": 1900,
            "interval": "month",
            "included_credits": 120,
            "rollover_cap": 60,
            "has_quantity": True,
            "trial_days": 14,
            "features": {"max_concurrent_jobs": 5, "support": "email"},
        },
    ),
    "pro": (
        "Monthly pro",
        "For studios: pictures are restyled without credits.",
        {
            "price": 7900,
            "interval": "month",
            "included_credits": 500,
            "rollover_cap": 500,
            "max_users": 25,
            "trial_days": 14,
            "features": {
                "unlimited_operations": ["image.restyle"],
                "max_concurrent_jobs": 10,
                "support": "priority",
            },
        },
    ),
    "pro-annual": (
        "Annual pro",
        "Monthly pro, paid by the year: two months are free.",
        {
            "price": 79000,
            "interval": "year",
            "included_credits": 6000,
            "max_users": 25,
            "features": {
                "unlimited_operations": ["image.restyle"],
                "max_concurrent_jobs": 10,
                "support": "priority",
            },
        },
    ),
}
PACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "small": ("500 credits", {"price": 1000, "credits": 500}),
    "medium": ("1,500 credits", {"price": 2850, "credits": 1500, "bonus_credits": 100}),
    "large": ("5,000 credits", {"price": 8500, "credits": 5000, "bonus_credits": 500}),
}


def seed_catalogue() -> None:
    """Make the plans and packs that are not there yet, and let the simulator have them."""
    now = datetime.now(UTC)
    with context.acting(actor="system:demo"):
        for position, (code, (name, description, terms)) in enumerate(PLANS.items()):
            if not SubscriptionPlan.objects.filter(code=code).exists():
                _add_plan(now, terms, code=code, name=name, description=description, at=position)
        for position, (code, (name, terms)) in enumerate(PACKS.items()):
            if not CreditProduct.objects.filter(code=code).exists():
                _add_pack(now, terms, code=code, name=name, position=position * 10)
        _push()


@transaction.atomic  # a pack without terms would be taken for one that is there
def _add_pack(now: datetime, terms: dict[str, Any], *, code: str, name: str, position: int) -> None:
    pack = catalogue.create_product(code=code, name=name, position=position)
    versions.publish_product_version(
        pack, effective_at=now - SINCE, currency="eur", valid_days=365, **terms
    )


@transaction.atomic
def _add_plan(
    now: datetime, terms: dict[str, Any], *, code: str, name: str, description: str, at: int
) -> None:
    plan = catalogue.create_plan(code=code, name=name, description=description, position=at * 10)
    if code != "pro":
        versions.publish_plan_version(plan, effective_at=now - SINCE, currency="eur", **terms)
        return
    before = terms | {"price": 6900, "included_credits": 400}
    versions.publish_plan_version(plan, effective_at=now - SINCE, currency="eur", **before)
    with clock.moved_to(now - RAISED):
        versions.publish_plan_version(plan, currency="eur", **terms)


def _push() -> None:
    """Give the simulator what it does not have; a key of one's own is never used for that."""
    if not is_simulated():
        return
    things = [*SubscriptionPlan.objects.all(), *CreditProduct.objects.all()]
    try:
        for thing in things:
            if any(not version.stripe_price_id for version in syncing.priced_versions(thing)):
                syncing.push(thing)
    except StripeUnavailable:
        logger.warning("demo_catalogue_not_pushed")  # at the next start, or from the back office
