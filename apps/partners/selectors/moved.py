"""
What moved in the wallets of a programme, in the words in which a partner counts it.

Every type of movement is in exactly one of them, so that they add up to what a wallet has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.db import connection

from apps.credits.models import CreditTransaction
from apps.credits.selectors.filters import GIVEN_BACK, USED
from apps.tenants.models import Organization

GRANTED = ("earned", "purchased")
RECEIVED = ("transferred_in",)
SENT = ("transferred_out",)
USE = (*USED, *GIVEN_BACK)  # a hold is used until it is given back
LAPSED = ("expired", "voided")
_NAMED = {
    **dict.fromkeys(GRANTED, "granted"),
    **dict.fromkeys(RECEIVED, "received"),
    **dict.fromkeys(SENT, "sent"),
    **dict.fromkeys(USE, "used"),
    **dict.fromkeys(LAPSED, "lapsed"),
}
# By type: the name that it has in `Moved`.
NAMES = {one: _NAMED.get(one, "corrected") for one in CreditTransaction.Type.values}
CORRECTED = tuple(kind for kind, name in NAMES.items() if name == "corrected")
LEAVES = frozenset({"sent", "used", "lapsed"})  # count what a wallet has less, and so above zero


@dataclass(frozen=True)
class Moved:
    """Credits that moved in a wallet, or in several together."""

    granted: int = 0  # came from outside: bought, or given by us
    received: int = 0  # came from another wallet
    sent: int = 0  # went to another wallet
    used: int = 0  # charged or held, and what was given back taken off
    lapsed: int = 0  # past its date, or taken away without going back
    corrected: int = 0  # signed; by staff, or because money went back

    @property
    def net(self) -> int:
        """How much more the wallet has after it."""
        came = self.granted + self.received + self.corrected
        return came - self.sent - self.used - self.lapsed

    @classmethod
    def of(cls, amounts: Iterable[tuple[str, int]]) -> Self:
        """Return what types of movements with their signed amounts come to."""
        sums = dict.fromkeys((one.name for one in fields(cls)), 0)
        for kind, amount in amounts:
            name = NAMES[kind]
            sums[name] += -amount if name in LEAVES else amount
        return cls(**sums)

    def __add__(self, other: Self) -> Self:
        names = [one.name for one in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


def written(*types: str) -> str:
    """Return types of movements as they stand in a query."""
    return ", ".join(f"'{kind}'" for kind in types)


def sum_of(name: str) -> str:
    """Return the column of a query that sums one field of `Moved`, of rows called `entry`."""
    types = written(*(kind for kind, named in NAMES.items() if named == name))
    sums = f"sum(entry.amount) FILTER (WHERE entry.transaction_type IN ({types}))"
    return f"coalesce({'-' if name in LEAVES else ''}{sums}, 0)::bigint AS {name}"


# Of rows called `entry`; the columns are those of `Moved`, in its order.
SUMS = ", ".join(sum_of(one.name) for one in fields(Moved))


def rows_of(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a query, each with the values of its columns."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def day_begins(organization: Organization, day: date) -> datetime:
    """Return the instant at which a day begins where the organization is."""
    return datetime.combine(day, time.min, ZoneInfo(organization.time_zone)).astimezone(UTC)


def day_of(organization: Organization, moment: datetime) -> date:
    """Return the day on which a moment is, where the organization is."""
    return moment.astimezone(ZoneInfo(organization.time_zone)).date()
