"""What a paid period gives: the credits of its cycle, once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from apps.billing.models import OrganizationSubscription, PlanVersion
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.allowances import renew_allowance
from apps.credits.services.plan_changes import expire_wallet

Json = Mapping[str, Any]
SOURCE = "subscription"
PRECISION = Decimal("0.000001")  # the precision of a lot's unit cost, in minor units
GRACE = timedelta(days=7)  # for credits of a period that was over when we heard that it is paid


def moment_of(seconds: int) -> datetime:
    """Return a moment as Stripe writes it."""
    return datetime.fromtimestamp(seconds, UTC)


def prefix_of(subscription: OrganizationSubscription) -> str:
    """Return how the causes of all cycles of a subscription begin."""
    return f"sub:{subscription.public_id}:"


def reference_of(
    subscription: OrganizationSubscription, version: PlanVersion, start: datetime
) -> str:
    """Return the cause of a cycle's credits: subscription, period and version."""
    return f"{prefix_of(subscription)}{int(start.timestamp())}:{version.public_id}"


@inside_transaction
def begin_cycle(
    *,
    subscription: OrganizationSubscription,
    version: PlanVersion,
    quantity: int,
    start: datetime,
    end: datetime,
    paid: int = 0,
) -> None:
    """
    Grant the credits of a period, once, and carry over what its plan allows.

    `paid` is in minor units, without tax. Only lots of this subscription's last cycle take
    part: what a trial left over ends with the trial.

    :raises CycleNotOver: if our clock has not reached the end of the last cycle yet.
    """
    amount = version.included_credits * quantity
    wallet = main_wallet(subscription.organization)
    reference = reference_of(subscription, version, start)
    if not amount or Lot.objects.filter(wallet=wallet, origin=reference).exists():
        return
    now = database_now()
    ended = _ended_lots(subscription, wallet, start)
    renew_allowance(
        wallet=wallet,
        amount=amount,
        expires_at=end if end > now else now + GRACE,
        reference=reference,
        source=SOURCE,
        source_id=subscription.public_id,
        ended=ended[-1] if ended else None,
        rollover_cap=version.rollover_cap * quantity if ended else 0,
        rollover_floor=_lost(wallet, ended),
        unit_cost=(Decimal(max(paid, 0)) / amount).quantize(PRECISION),
        currency=version.currency,
        description=f"{version.plan.name}: credits of the period",
    )


def _ended_lots(
    subscription: OrganizationSubscription, wallet: Wallet, start: datetime
) -> list[Lot]:
    """Return the lots of the cycle that ended when this one begins."""
    if subscription.trial_end == start:
        return []
    cycle = Lot.objects.filter(wallet=wallet, origin__startswith=prefix_of(subscription))
    return list(cycle.filter(expires_at=start).order_by("created_at", "id"))


def _lost(wallet: Wallet, ended: list[Lot]) -> int:
    """Return how many credits of a cycle of several lots nobody used: an upgrade makes two."""
    if len(ended) < 2:
        return 0
    expire_wallet(wallet)
    references = [f"expiry:{lot.public_id}" for lot in ended]
    lost = CreditTransaction.objects.filter(wallet=wallet, reference__in=references)
    return -(lost.aggregate(total=Sum("amount"))["total"] or 0)
