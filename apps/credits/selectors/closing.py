"""Read closed months, and which one comes next."""

from datetime import date, timedelta

from django.db.models import Min, QuerySet

from apps.core.periods import Period
from apps.credits.models import ClosedPeriod, ClosedTotals, ClosedWallet, CreditTransaction

GRACE = timedelta(hours=1)  # after a month's end, for whoever took his time from the clock before


def last_closed_period() -> ClosedPeriod | None:
    """Return the month that was closed last."""
    return ClosedPeriod.objects.order_by("ends_at").last()


def next_period_to_close() -> Period | None:
    """Return the month after the last closed one, or that of the first transaction of all."""
    last = last_closed_period()
    if last is not None:
        return Period.of_month(last.ends_at.date())
    first = CreditTransaction.objects.aggregate(at=Min("created_at"))["at"]
    return Period.of_month(first.date()) if first else None


def period_of(month: date) -> ClosedPeriod | None:
    """Return the closed month, if it is closed."""
    return ClosedPeriod.objects.filter(month=month).first()


def is_summed(period: ClosedPeriod) -> bool:
    """Tell whether the month's wallets and totals are written."""
    return ClosedTotals.objects.filter(period=period).exists()


def unsummed_periods() -> QuerySet[ClosedPeriod]:
    """Return months that were sealed by someone who died before he summed them."""
    return ClosedPeriod.objects.filter(totals=None).order_by("starts_at")


def wallets_of(period: ClosedPeriod) -> QuerySet[ClosedWallet]:
    """Return the month's lines, by organization and wallet."""
    lines = ClosedWallet.objects.filter(period=period).select_related("organization", "wallet")
    return lines.order_by("organization__slug", "wallet_id")
