"""When credits run out at the present rate, and which of them will expire unused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.utils import timezone

from apps.core.clock import database_now
from apps.credits.ledger.state import burn_order
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.selectors.burning import (
    CONFIDENCE_PERCENT,
    DAYS_FOR_WEEKDAYS,
    Burned,
    Pool,
    burn,
    rate_of,
)
from apps.credits.selectors.lots import Standing, Status, lots_with_credits
from apps.credits.selectors.periods import Period, last_days
from apps.credits.selectors.usage import DayOfUsage, usage_by_day, used_by

BASIS_DAYS = 30
FEWEST_DAYS = 7


class Basis(StrEnum):
    """On what a forecast rests, or why there is none."""

    USAGE = "usage"
    NO_USAGE = "no_usage"  # nothing was used lately, so nothing runs out
    TOO_LITTLE_HISTORY = "too_little_history"


@dataclass(frozen=True)
class Unused:
    """Credits of a lot that will expire unused, and between which bounds."""

    lot: Lot
    amount: int
    at_least: int
    at_most: int


@dataclass(frozen=True)
class Forecast:
    """
    What becomes of the credits that a wallet has, if it goes on as in the last days.

    Dates are None where credits last longer than a year. Bounds hold for four futures of five.
    """

    basis: Basis
    made_at: datetime
    days: int  # whole days looked at
    used: int = 0  # credits in those days
    is_by_weekday: bool = False
    runs_out_on: date | None = None
    earliest_on: date | None = None
    latest_on: date | None = None
    unused: tuple[Unused, ...] = ()

    @property
    def confidence_percent(self) -> int:
        """How many of a hundred futures lie between the bounds."""
        return CONFIDENCE_PERCENT

    @property
    def unused_credits(self) -> int:
        """Credits that will expire unused, in all lots."""
        return sum(one.amount for one in self.unused)


def forecast_of(
    wallet: Wallet,
    *,
    now: datetime | None = None,
    lots: Sequence[Standing] | None = None,
    usage: Sequence[DayOfUsage] | None = None,
) -> Forecast:
    """
    Return when the wallet's credits run out, and what of them expires before it is used.

    A page that has read them already gives the database's clock, `lots` (with credits) and
    `usage` (of BASIS_DAYS and today).
    """
    now = now or database_now()
    today = timezone.localtime(now).date()
    history = daily_use(wallet, today=today, usage=usage)
    if len(history) < FEWEST_DAYS:
        return Forecast(Basis.TOO_LITTLE_HISTORY, now, len(history))
    used = sum(credits for _, credits in history)
    rate = rate_of(history, today=today)
    usable = usable_lots(
        wallet,
        lots_with_credits(wallet, now=now) if lots is None else lots,
        since=last_days(BASIS_DAYS, until=today),
    )
    expected, slow, fast = (
        burn(_pools(usable), path, now=now) for path in (rate.expected, rate.low, rate.high)
    )
    return Forecast(
        basis=Basis.USAGE if used else Basis.NO_USAGE,
        made_at=now,
        days=len(history),
        used=used,
        is_by_weekday=len(history) >= DAYS_FOR_WEEKDAYS,
        runs_out_on=_day(expected),
        earliest_on=_day(fast),
        latest_on=_day(slow),
        unused=_unused(usable, expected, least=fast, most=slow),
    )


def daily_use(
    wallet: Wallet, *, today: date, usage: Sequence[DayOfUsage] | None
) -> list[tuple[date, int]]:
    """Return the use of the last whole days before today, from the wallet's second day on."""
    numbers = CreditTransaction.objects.filter(wallet=wallet, sequence=1)
    born_at = numbers.values_list("created_at", flat=True).first()
    if born_at is None:
        return []
    if usage is None:
        usage = usage_by_day(wallet, days=BASIS_DAYS + 1)
    born = timezone.localtime(born_at).date()
    return [(one.day, one.credits) for one in usage if born < one.day < today]


def usable_lots(wallet: Wallet, lots: Iterable[Standing], *, since: Period) -> list[Lot]:
    """Return the lots that are or will be open to what was used lately, in burn order."""
    found = [one.lot for one in lots if one.status in (Status.OPEN, Status.SCHEDULED)]
    found.sort(key=burn_order)
    if all(lot.features is None for lot in found):
        return found
    pairs = used_by(wallet, since, actor=None).filter(credit_event__isnull=False)
    names = {
        name
        for pair in pairs.values_list("credit_event__name", "credit_event__category").distinct()
        for name in pair
    }
    return [lot for lot in found if lot.features is None or names.intersection(lot.features)]


def _pools(lots: list[Lot]) -> list[Pool]:
    return [
        Pool(lot.id, lot.remaining, lot.effective_at, lot.expires_at, order)
        for order, lot in enumerate(lots)
    ]


def _day(burned: Burned) -> date | None:
    return burned.runs_out_at and timezone.localtime(burned.runs_out_at).date()


def _unused(
    lots: list[Lot], expected: Burned, *, least: Burned, most: Burned
) -> tuple[Unused, ...]:
    found = (
        Unused(
            lot,
            amount=expected.unused.get(lot.id, 0),
            at_least=least.unused.get(lot.id, 0),
            at_most=most.unused.get(lot.id, 0),
        )
        for lot in lots
    )
    expiring = (one for one in found if one.at_most)
    return tuple(sorted(expiring, key=lambda one: (one.lot.expires_at is None, one.lot.expires_at)))
