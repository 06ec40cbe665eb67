"""What credits can be bought: packs, and amounts of one's own choice."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.billing.models import ProductVersion
from apps.billing.models.catalogue import CURRENCY
from apps.billing.selectors.catalogue import products_in_force
from apps.tenants.selectors.config import Setting, declare, value_of, values

THOUSAND = 1000
LARGEST = 1_000_000_000

PRICE = declare(
    Setting(
        "billing.custom_price",
        default=2000,
        description="Minor units that 1,000 credits cost when bought by amount; 0: not offered.",
        minimum=0,
        maximum=LARGEST,
    )
)
MINIMUM = declare(
    Setting(
        "billing.custom_minimum",
        default=500,
        description="Credits that are bought by amount at once, at least.",
        minimum=1,
        maximum=LARGEST,
    )
)
MAXIMUM = declare(
    Setting(
        "billing.custom_maximum",
        default=100_000,
        description="Credits that are bought by amount at once, at most.",
        minimum=1,
        maximum=LARGEST,
    )
)
VALID_DAYS = declare(
    Setting(
        "billing.custom_valid_days",
        default=365,
        description="Days that credits bought by amount can be used; 0: they do not expire.",
        minimum=0,
        maximum=36_500,
    )
)
MONEY = declare(
    Setting(
        "billing.currency",
        default="eur",
        description="Currency of credits bought by amount: ISO 4217 in small letters.",
        maximum=3,
    )
)
AUTOMATIC_TAX = declare(
    Setting(
        "billing.automatic_tax",
        default=False,
        description="Stripe computes the tax and adds it to purchases (needs Stripe Tax).",
    )
)
REFUND_TERMS = declare(
    Setting(
        "billing.refund_terms",
        default="Credits that were not used are refunded on request; used ones are not.",
        description="Refund terms, as they stand beside each button that buys.",
        maximum=500,
    )
)


@dataclass(frozen=True)
class CustomTerms:
    """What credits cost when their number is the buyer's choice."""

    price: int  # minor units of the currency for 1,000
    minimum: int  # credits
    maximum: int
    currency: str
    valid_days: int | None  # None: they do not expire

    def amount_of(self, credits: int) -> int:
        """Return what so many credits cost: minor units, rounded up."""
        return -(-credits * self.price // THOUSAND)


def custom_terms() -> CustomTerms | None:
    """Return the terms for amounts of one's own choice, or None if none are offered."""
    found = values()
    price = value_of(PRICE, found)
    minimum, maximum = value_of(MINIMUM, found), value_of(MAXIMUM, found)
    if not price or minimum > maximum:
        return None
    currency = value_of(MONEY, found)
    return CustomTerms(
        price,
        minimum,
        maximum,
        currency if re.fullmatch(CURRENCY, currency) else MONEY.default,
        value_of(VALID_DAYS, found) or None,
    )


def pack_named(code: str) -> ProductVersion | None:
    """Return the version that holds now of the pack with this code, if it is offered."""
    return products_in_force().filter(product__code=code).first()


def best_value(versions: Sequence[ProductVersion]) -> ProductVersion | None:
    """Return the pack whose credits are the cheapest, where there is a choice in one currency."""
    if len(versions) < 2 or len({one.currency for one in versions}) > 1:
        return None
    return min(versions, key=lambda one: (one.price / one.all_credits, one.price))


def expiry_if_bought(valid_days: int | None, now: datetime) -> datetime | None:
    """Return when credits expire that are bought now; None if they do not."""
    return None if valid_days is None else now + timedelta(days=valid_days)
