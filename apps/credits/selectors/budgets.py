"""Read budgets, what their months used, and who was told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db.models import DateField, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from apps.core import paging
from apps.core.clock import database_now
from apps.core.errors import NotFound
from apps.core.periods import next_month
from apps.credits.models import Budget, BudgetAlert, BudgetMonth, Wallet
from apps.tenants.models import User

CHUNK = 2000  # rows of an export that are in memory at once
MONTHS = 24  # of the history that a page shows
BUDGET_COLUMNS = [
    *("id", "member", "month", "used", "monthly_limit", "share_percent"),
    *("action", "thresholds", "status", "created_at"),
]
MONTH_COLUMNS = ["month", "used", "monthly_limit", "share_percent"]


@dataclass(frozen=True)
class Use:
    """How much of a limit is used."""

    used: int  # credits
    limit: int  # credits

    def __str__(self) -> str:
        return f"{self.used} of {self.limit} credits used"

    @property
    def left(self) -> int:
        """Credits that are not used yet; nothing where more than the limit was used."""
        return max(0, self.limit - self.used)

    @property
    def percent(self) -> int:
        """The share that is used, rounded down; of a limit of nothing, anything is all of it."""
        if not self.limit:
            return 100 if self.used else 0
        return self.used * 100 // self.limit


def month_of(time_zone: str, now: datetime) -> date:
    """Return the first day of the month that it is in a time zone."""
    return now.astimezone(ZoneInfo(time_zone)).date().replace(day=1)


def budgets_of(
    wallet: Wallet, *, member: User | None = None, is_active: bool | None = None
) -> QuerySet[Budget]:
    """
    Return the wallet's budgets, newest first, each with `used` and `month`, its present month.

    With `member`, only those of his.
    """
    month = month_of(wallet.organization.time_zone, database_now())
    counters = BudgetMonth.objects.filter(budget=OuterRef("pk"), month=month)
    found = Budget.objects.filter(wallet=wallet, organization_id=wallet.organization_id)
    if member is not None:
        found = found.filter(member=member)
    if is_active is not None:
        found = found.filter(is_active=is_active)
    return (
        found.select_related("member")
        .annotate(
            used=Coalesce(Subquery(counters.values("used")[:1]), 0),
            month=Value(month, output_field=DateField()),
        )
        .order_by("-created_at", "-id")
    )


def budget_of(wallet: Wallet, budget_id: str, *, member: User | None = None) -> Budget:
    """
    Return the wallet's (or the member's) budget with this public id.

    :raises NotFound: if there is none.
    """
    row_id = Budget.read_id(budget_id)
    found = budgets_of(wallet, member=member).filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return found


def used_up(wallet: Wallet, user: User) -> list[Budget]:
    """Return the budgets that refuse this person's charges until the next month, his own last."""
    found = budgets_of(wallet, is_active=True).filter(
        Q(member=None) | Q(member=user), action=Budget.Action.STOP
    )
    ordered = found.order_by(F("member").asc(nulls_first=True))  # these are two at most
    return [one for one in ordered if not use_of(one).left]


def use_of(budget: Budget) -> Use:
    """Return what was used of a budget of `budgets_of`, in the month that is now."""
    return Use(budget.used, budget.monthly_limit)  # type: ignore[attr-defined]  # annotated


def resets_at(budget: Budget) -> datetime:
    """Return when the next month of a budget of `budgets_of` begins, UTC."""
    first = next_month(budget.month)  # type: ignore[attr-defined]  # annotated
    zone = ZoneInfo(budget.time_zone)
    return datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC)


def months_of(budget: Budget) -> QuerySet[BudgetMonth]:
    """Return the budget's months, the latest first."""
    return BudgetMonth.objects.filter(budget=budget).order_by("-month")


def alerts_of(budget: Budget) -> QuerySet[BudgetAlert]:
    """Return the mails about a budget, newest first."""
    return BudgetAlert.objects.filter(budget=budget).order_by("-created_at", "-id")


def budget_rows(budgets: QuerySet[Budget]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each budget, newest first, in the order of BUDGET_COLUMNS, by keyset."""
    chunk = list(budgets[:CHUNK])
    while chunk:
        for one in chunk:
            use = use_of(one)
            yield (
                one.public_id,
                one.member.email if one.member else "",
                f"{one.month:%Y-%m}",  # type: ignore[attr-defined]  # annotated
                use.used,
                use.limit,
                use.percent,
                one.action,
                " ".join(map(str, one.thresholds)),
                "active" if one.is_active else "off",
                one.created_at.isoformat(),
            )
        chunk = list(paging.after(budgets, chunk[-1])[:CHUNK]) if len(chunk) == CHUNK else []


def month_rows(budget: Budget) -> Iterator[tuple[object, ...]]:
    """Yield a row for each month of a budget, the latest first, as MONTH_COLUMNS say."""
    for one in months_of(budget):
        use = Use(one.used, one.monthly_limit)
        yield (f"{one.month:%Y-%m}", use.used, use.limit, use.percent)
