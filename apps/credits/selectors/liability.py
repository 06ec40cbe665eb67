"""
What the operator owes: credits that customers can still spend, and the money behind them.

Money is `remaining × unit_cost`, exact, in minor units of the lot's currency, and rounded
once, half to even, where a total is shown. Never by lot and never by line, so that the
lines of a report may differ from its total by less than one unit each.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django.db import connection

ALWAYS = "infinity"  # to PostgreSQL: later than any row

# The function asks every transaction; what is left now stands in the lots (invariant L21).
THEN = "credits_outstanding(%s)"
NOW = "credits_lot WHERE has_credits"
OUTSTANDING = """
    SELECT date_trunc('month', expires_at AT TIME ZONE 'UTC')::date, kind, currency,
           sum(remaining)::bigint,
           coalesce(sum(remaining * unit_cost) FILTER (WHERE remaining > 0), 0)
      FROM {source}
     GROUP BY 1, 2, 3
     ORDER BY 1 NULLS LAST, 2, 3
"""
BREAKAGE = """
    SELECT date_trunc('month', entry.created_at AT TIME ZONE 'UTC')::date, lot.currency,
           -sum(entry.amount)::bigint, -sum(entry.amount * lot.unit_cost)
      FROM credits_credittransaction entry
      JOIN credits_lot lot ON lot.id = entry.lot_id
     WHERE entry.transaction_type = 'expired'
       AND entry.created_at >= %s AND entry.created_at < %s
     GROUP BY 1, 2
     ORDER BY 1, 2
"""


DEBT = "debt"  # the kind of a lot that is owed
COLUMNS = ["section", "month", "kind", "credits", "currency", "minor_units_exact", "minor_units"]
# Credits in open holds have left their lots and are not spent yet.
HELD = """
    SELECT lot.currency, -sum(entry.amount)::bigint, -sum(entry.amount * lot.unit_cost)
      FROM credits_hold hold
      JOIN credits_credittransaction entry
        ON entry.wallet_id = hold.wallet_id AND entry.reference = hold.reference
       AND entry.transaction_type = 'held'
      JOIN credits_lot lot ON lot.id = entry.lot_id
     WHERE hold.status = 'held'
     GROUP BY 1
"""


@dataclass(frozen=True)
class Money:
    """An amount in minor units of a currency: exact, and as it is shown."""

    currency: str  # ISO 4217, lower case
    exact: Decimal

    @property
    def minor(self) -> int:
        """Whole minor units, half to even."""
        return minor_units(self.exact)


@dataclass(frozen=True)
class Outstanding:
    """Credits that expire in one month (None: never), of one kind."""

    month: date | None
    kind: str
    credits: int


@dataclass(frozen=True)
class Breakage:
    """Credits that expired unspent in one month, and what was paid for them."""

    month: date
    credits: int
    value: tuple[Money, ...]


@dataclass(frozen=True)
class Liability:
    """What is outstanding at one instant; `as_of` None is now."""

    as_of: datetime | None
    outstanding: tuple[Outstanding, ...]
    deferred_revenue: tuple[Money, ...]
    breakage: tuple[Breakage, ...] = ()
    held: int = 0  # credits in open holds: owed too, and in no lot; known only for now
    held_revenue: tuple[Money, ...] = ()  # the money behind them, not in deferred_revenue

    @property
    def credits(self) -> int:
        """All credits outstanding, debts taken off: the sum of all wallets' balances."""
        return sum(line.credits for line in self.outstanding)

    @property
    def by_kind(self) -> dict[str, int]:
        """Credits outstanding by kind of lot."""
        return dict(sorted(_summed((line.kind, line.credits) for line in self.outstanding).items()))

    @property
    def by_month(self) -> dict[date | None, int]:
        """
        Credits outstanding by the month in which they expire, those that never do last.

        What customers owe is no part of it.
        """
        lots = (line for line in self.outstanding if line.kind != DEBT)
        return dict(_summed((line.month, line.credits) for line in lots))

    @property
    def debt(self) -> int:
        """Credits that customers owe, as a positive number."""
        return -self.by_kind.get(DEBT, 0)


@dataclass
class _Totals:
    credits: int = 0
    value: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def money(self) -> tuple[Money, ...]:
        return tuple(Money(*pair) for pair in sorted(self.value.items()) if pair[0])


def minor_units(exact: Decimal) -> int:
    """Round money to whole minor units, half to even: the one place where it is rounded."""
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


def liability(
    *, as_of: datetime | None = None, breakage_since: datetime | None = None
) -> Liability:
    """
    Return what is outstanding now, or just before `as_of`; breakage only where it is asked for.

    What is past its date and not yet written off still counts, in the month of its date.
    """
    lines: Counter[tuple[date | None, str]] = Counter()
    totals = _Totals()
    source, moment = (NOW, []) if as_of is None else (THEN, [as_of])
    for month, kind, currency, credits, value in _rows(OUTSTANDING.format(source=source), *moment):
        lines[month, kind] += credits
        totals.value[currency] += value
    held = _held() if as_of is None else _Totals()
    return Liability(
        as_of=as_of,
        outstanding=tuple(Outstanding(*key, credits) for key, credits in lines.items()),
        deferred_revenue=totals.money(),
        breakage=breakage(since=breakage_since, until=as_of) if breakage_since else (),
        held=held.credits,
        held_revenue=held.money(),
    )


def breakage(*, since: datetime, until: datetime | None = None) -> tuple[Breakage, ...]:
    """Return what expired unspent in each month of a period, by when it was written off."""
    months: dict[date, _Totals] = defaultdict(_Totals)
    for month, currency, credits, value in _rows(BREAKAGE, since, until or ALWAYS):
        months[month].credits += credits
        months[month].value[currency] += value
    return tuple(Breakage(month, one.credits, one.money()) for month, one in months.items())


def _held() -> _Totals:
    held = _Totals()
    for currency, credits, value in _rows(HELD):
        held.credits += credits
        held.value[currency] += value
    return held


def report_lines(report: Liability) -> Iterator[list[object]]:
    """Yield the report as lines of a CSV: a line for each number, sums left to the reader."""
    for line in report.outstanding:
        month = f"{line.month:%Y-%m}" if line.month else "never"
        yield ["outstanding", month, line.kind, line.credits, "", "", ""]
    if report.as_of is None:
        yield ["held", "", "", report.held, "", "", ""]
    for one in report.held_revenue:
        yield ["held_revenue", "", "", "", one.currency, str(one.exact), one.minor]
    for one in report.deferred_revenue:
        yield ["deferred_revenue", "", "", "", one.currency, str(one.exact), one.minor]
    for lost in report.breakage:
        month = f"{lost.month:%Y-%m}"
        yield ["breakage", month, "", lost.credits, "", "", ""]
        for one in lost.value:
            yield ["breakage_value", month, "", "", one.currency, str(one.exact), one.minor]


def _rows(sql: str, *values: datetime | str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _summed[K](pairs: Iterable[tuple[K, int]]) -> dict[K, int]:
    sums: dict[K, int] = {}
    for key, credits in pairs:
        sums[key] = sums.get(key, 0) + credits
    return sums
