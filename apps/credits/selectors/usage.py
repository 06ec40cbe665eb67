"""What was used, by day and by event, category, source or member."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, QuerySet, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, TruncDate

from apps.credits.errors import UnknownCreditEvent
from apps.credits.models import CreditEvent, CreditTransaction, Wallet
from apps.credits.selectors.filters import GIVEN_BACK, NO_EVENT, USED, caused_by
from apps.credits.selectors.people import names_of_actors
from apps.credits.selectors.periods import Period, last_days
from apps.credits.selectors.prices import price_of

_NAME_OF_OTHER = Value(NO_EVENT)

FIELDS = {
    "event": "credit_event__name",
    "category": "credit_event__category",
    "source": "source",
    "actor": "actor",
}
# What is given back counts for the event, source and member of the charge that it reverses.
GROUPINGS: dict[str, Combinable] = {
    "event": Coalesce("credit_event__name", "reverses__credit_event__name", _NAME_OF_OTHER),
    "category": Coalesce(
        "credit_event__category", "reverses__credit_event__category", _NAME_OF_OTHER
    ),
    "source": Coalesce("reverses__source", "source"),
    "actor": Coalesce("reverses__actor", "actor"),
}


@dataclass(frozen=True)
class DayOfUsage:
    """Credits used on one day."""

    day: date
    credits: int


@dataclass(frozen=True)
class Use:
    """Charges, what was given back of them, and how many charges there were."""

    charged: int = 0  # credits
    given_back: int = 0  # credits
    count: int = 0

    @property
    def credits(self) -> int:
        """Credits used: below zero where more was given back than charged."""
        return self.charged - self.given_back

    def __add__(self, other: "Use") -> "Use":
        return Use(
            self.charged + other.charged,
            self.given_back + other.given_back,
            self.count + other.count,
        )


@dataclass(frozen=True)
class Group:
    """What one event, category, source or member used in the period and in the one before."""

    key: str
    label: str
    use: Use
    before: int  # credits used in the period before
    by_day: dict[date, Use]


@dataclass(frozen=True)
class Usage:
    """What a wallet used in a period. The groups add up to the days, and both to the total."""

    period: Period
    group_by: str
    groups: tuple[Group, ...]  # the largest first

    @property
    def total(self) -> Use:
        """What all groups used together."""
        return sum((group.use for group in self.groups), Use())

    @property
    def before(self) -> int:
        """Credits used in the period of the same length before."""
        return sum(group.before for group in self.groups)

    def on(self, day: date) -> Use:
        """Return what all groups used on a day together."""
        return sum((group.by_day.get(day, Use()) for group in self.groups), Use())


def used_by(wallet: Wallet, period: Period, *, actor: str | None) -> QuerySet[CreditTransaction]:
    """Return the movements that make up the usage of a period (of one actor, if given)."""
    rows = CreditTransaction.objects.filter(
        organization_id=wallet.organization_id,  # leads the index that is sorted by time
        wallet=wallet,
        transaction_type__in=[*USED, *GIVEN_BACK],
        created_at__gte=period.begins_at,
        created_at__lt=period.ends_at,
    )
    return rows if actor is None else rows.filter(caused_by(actor))


def usage_of(
    wallet: Wallet, period: Period, *, group_by: str = "event", actor: str | None = None
) -> Usage:
    """Return the usage of a period by day and group, with that of the period before."""
    earlier = period.before()
    both = Period(earlier.first, period.last)
    by_day: dict[str, dict[date, Use]] = {}
    before: Counter[str] = Counter()
    for key, day, use in [
        *_charged(wallet, both, group_by, actor),
        *_given_back(wallet, both, group_by, actor),
    ]:
        if day < period.first:
            before[key] += use.credits
            continue
        days = by_day.setdefault(key, {})
        days[day] = days.get(day, Use()) + use
    name = _labels(wallet, group_by, by_day.keys() | before.keys())
    groups = [
        Group(
            key,
            name(key),
            sum(by_day.get(key, {}).values(), Use()),
            before[key],
            by_day.get(key, {}),
        )
        for key in by_day.keys() | before.keys()
    ]
    groups.sort(key=lambda group: (-group.use.credits, -group.before, group.key))
    return Usage(period, group_by, tuple(groups))


def _charged(
    wallet: Wallet, period: Period, group_by: str, actor: str | None
) -> Iterator[tuple[str, date, Use]]:
    """Yield what was charged, by group and day. Without what was given back, so without a join."""
    rows = used_by(wallet, period, actor=None).filter(transaction_type__in=USED)
    if actor is not None:
        rows = rows.filter(actor=actor)
    sums = (
        rows.annotate(day=TruncDate("created_at"), key=F(FIELDS[group_by]))
        .values("day", "key")
        # An operation that draws on three lots is one charge.
        .annotate(charged=-Sum("amount"), count=Count("reference", distinct=True))
    )
    for row in sums.order_by("day", "key"):
        yield row["key"] or NO_EVENT, row["day"], Use(row["charged"], 0, row["count"])


def _given_back(
    wallet: Wallet, period: Period, group_by: str, actor: str | None
) -> Iterator[tuple[str, date, Use]]:
    """Yield what was given back, by day and by the group of the charge that it reverses."""
    rows = used_by(wallet, period, actor=actor).filter(transaction_type__in=GIVEN_BACK)
    sums = (
        rows.annotate(day=TruncDate("created_at"), key=GROUPINGS[group_by])
        .values("day", "key")
        .annotate(given_back=Sum("amount"))
    )
    for row in sums.order_by("day", "key"):
        yield row["key"], row["day"], Use(0, row["given_back"], 0)


def usage_by_day(wallet: Wallet, *, days: int, actor: str | None = None) -> list[DayOfUsage]:
    """
    Return the credits used on each of the last days, refunds taken off, in the viewer's zone.

    With `actor`, only what he caused.
    """
    period = last_days(days)
    rows = used_by(wallet, period, actor=actor).annotate(day=TruncDate("created_at"))
    sums = rows.values("day").annotate(credits=-Sum("amount")).order_by("day")
    used = {row["day"]: row["credits"] for row in sums}
    return [DayOfUsage(day, max(0, used.get(day, 0))) for day in period]


def most_used_event(wallet: Wallet) -> CreditEvent | None:
    """Return the event that the wallet paid for most often lately, at its present price."""
    lately = CreditTransaction.objects.filter(
        wallet=wallet, transaction_type="consumed", credit_event__isnull=False
    ).order_by("-sequence")[:200]
    names = Counter(
        entry.credit_event.name
        for entry in lately.select_related("credit_event")
        if entry.credit_event
    )
    if not names:
        return None
    try:
        return price_of(names.most_common(1)[0][0])
    except UnknownCreditEvent:  # it was sold until lately
        return None


def _labels(wallet: Wallet, group_by: str, keys: set[str]) -> Callable[[str], str]:
    if group_by == "actor":
        names = names_of_actors(wallet.organization, keys)
        return lambda key: names[key]
    if group_by == "source":
        return str.capitalize
    return lambda key: "Without an event" if key == NO_EVENT else key
