"""
Publish versions of plans and packs: what they give and cost from a moment on.

A version is written once. Who subscribed to an earlier one keeps it; who comes after the
moment gets this one. What was planned by mistake is replaced by one more version for the
same moment.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Required, TypedDict, Unpack

from django.db import transaction

from apps.billing.errors import TermsRefused
from apps.billing.models import CreditProduct, PlanVersion, ProductVersion, SubscriptionPlan
from apps.billing.models.catalogue import CURRENCY
from apps.billing.services.catalogue import lock
from apps.billing.services.plan_features import check_features
from apps.core.clock import database_now
from apps.tenants.services.audit import record

LARGEST_PRICE = 99_999_999  # minor units: Stripe's limit
LARGEST_CREDITS = 10**15
LONGEST = {"month": 36, "year": 3, "pass": 3660}  # Stripe's limits; days for a pass
LARGEST_COUNT = 32_767  # of small whole numbers
MOST_USERS = 2_147_483_647
LONGEST_TRIAL = 730  # days: Stripe's limit

type Problem = tuple[str, str]  # the field, and what is wrong with it


class PlanTerms(TypedDict, total=False):
    """What a version of a plan gives and costs; see PlanVersion for the units."""

    price: Required[int]
    currency: Required[str]
    interval: Required[str]
    interval_count: int
    included_credits: int
    rollover_cap: int
    max_users: int | None
    has_quantity: bool
    trial_days: int
    features: dict[str, Any]


class ProductTerms(TypedDict, total=False):
    """What a version of a pack holds and costs; see ProductVersion for the units."""

    credits: Required[int]
    price: Required[int]
    currency: Required[str]
    bonus_credits: int
    valid_days: int | None


@transaction.atomic
def publish_plan_version(
    plan: SubscriptionPlan, *, effective_at: datetime | None = None, **terms: Unpack[PlanTerms]
) -> PlanVersion:
    """
    Add a version to a plan, from now or from `effective_at` on.

    :raises TermsRefused: if a term cannot be, or it would begin before another version or now.
    """
    plan = lock(plan)
    check_plan_terms(terms)
    number, moment = check_moment(plan, effective_at)
    version = PlanVersion.objects.create(plan=plan, number=number, effective_at=moment, **terms)
    _note("plan", version, dict(terms))
    return version


@transaction.atomic
def publish_product_version(
    product: CreditProduct, *, effective_at: datetime | None = None, **terms: Unpack[ProductTerms]
) -> ProductVersion:
    """
    Add a version to a pack, from now or from `effective_at` on.

    :raises TermsRefused: if a term cannot be, or it would begin before another version or now.
    """
    product = lock(product)
    check_product_terms(terms)
    number, moment = check_moment(product, effective_at)
    version = ProductVersion.objects.create(
        product=product, number=number, effective_at=moment, **terms
    )
    _note("pack", version, dict(terms))
    return version


def check_plan_terms(terms: PlanTerms) -> None:
    """
    Refuse what a plan cannot be.

    :raises TermsRefused: for the first term that cannot be.
    """
    for field, reason in _problems_of_plan(terms):
        raise TermsRefused(field=field, reason=reason)
    check_features(terms.get("features", {}))


def check_product_terms(terms: ProductTerms) -> None:
    """
    Refuse what a pack cannot be.

    :raises TermsRefused: for the first term that cannot be.
    """
    for field, reason in _problems_of_pack(terms):
        raise TermsRefused(field=field, reason=reason)


def check_moment(
    thing: SubscriptionPlan | CreditProduct, effective_at: datetime | None
) -> tuple[int, datetime]:
    """
    Return number and moment of the next version of a plan or pack.

    A first version may begin in the past: nobody could have had another.

    :raises TermsRefused: if it would begin in the past, or before another version.
    """
    now = database_now()
    moment = effective_at or now
    last = thing.versions.order_by("-number").first()
    if last is None:
        return 1, moment
    if moment < now:
        reason = "what was offered already cannot change. Give a moment to come, or none for now."
        raise TermsRefused(field="effective_at", reason=reason)
    if moment < last.effective_at:
        begins = last.effective_at.astimezone(UTC)
        reason = (
            f"version {last.number} begins at {begins:%Y-%m-%d %H:%M:%S} UTC. "
            "Give that moment to replace it, or a later one."
        )
        raise TermsRefused(field="effective_at", reason=reason)
    return last.number + 1, moment


def _problems_of_plan(terms: PlanTerms) -> Iterator[Problem]:
    interval, count = terms["interval"], terms.get("interval_count", 1)
    yield from _problems_of_price(terms["price"], terms["currency"], least=0)
    if interval not in LONGEST:
        yield "interval", f"give one of: {', '.join(LONGEST)}."
    elif not 1 <= count <= LONGEST[interval]:
        yield "interval_count", f"give a number from 1 to {LONGEST[interval]}."
    yield from _problems_of_credits("included_credits", terms.get("included_credits", 0), least=0)
    yield from _problems_of_credits("rollover_cap", terms.get("rollover_cap", 0), least=0)
    users = terms.get("max_users")
    if users is not None and not 1 <= users <= MOST_USERS:
        yield "max_users", "give a number from 1 on, or nothing for no limit."
    trial = terms.get("trial_days", 0)
    if not 0 <= trial <= LONGEST_TRIAL:
        yield "trial_days", f"give a number from 0 to {LONGEST_TRIAL}."
    if interval == PlanVersion.Interval.PASS and trial:
        yield "trial_days", "a pass is paid once, at its beginning, so it has no trial."
    if interval == PlanVersion.Interval.PASS and terms.get("rollover_cap"):
        yield "rollover_cap", "a pass has no next period that credits could go to."
    if interval == PlanVersion.Interval.PASS and not terms["price"]:
        yield "price", "a pass is bought, so it costs something."
    if interval == PlanVersion.Interval.PASS and terms.get("has_quantity"):
        yield "has_quantity", "a pass is bought for one."
    if not terms["price"] and trial:
        yield "trial_days", "a plan that costs nothing needs no trial."


def _problems_of_pack(terms: ProductTerms) -> Iterator[Problem]:
    yield from _problems_of_price(terms["price"], terms["currency"], least=1)
    yield from _problems_of_credits("credits", terms["credits"], least=1)
    yield from _problems_of_credits("bonus_credits", terms.get("bonus_credits", 0), least=0)
    days = terms.get("valid_days")
    if days is not None and not 1 <= days <= LARGEST_COUNT:
        yield "valid_days", f"give a number from 1 to {LARGEST_COUNT}, or nothing for no end."


def _problems_of_price(price: int, currency: str, *, least: int) -> Iterator[Problem]:
    if not least <= price <= LARGEST_PRICE:
        yield "price", f"give {least} to {LARGEST_PRICE} minor units of the currency."
    if not re.fullmatch(CURRENCY, currency):
        yield "currency", "give the three small letters of ISO 4217, like eur."


def _problems_of_credits(field: str, number: int, *, least: int) -> Iterator[Problem]:
    if not least <= number <= LARGEST_CREDITS:
        yield field, f"give {least} to {LARGEST_CREDITS} credits."


def _note(kind: str, version: PlanVersion | ProductVersion, terms: dict[str, Any]) -> None:
    record(
        action=f"{kind}.version_published",
        object_id=version.public_id,
        after={"number": version.number, "effective_at": version.effective_at.isoformat(), **terms},
    )
