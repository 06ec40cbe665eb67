"""What automatic reload would have done in the last 30 days, from the ledger's own history."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Sum

from apps.billing.models import AutoReload
from apps.billing.selectors.offers import CustomTerms
from apps.billing.selectors.reloads import LEAST_PAUSE, MOST_IN_WINDOW, WINDOW, size_of
from apps.core.clock import database_now
from apps.credits.models import CreditTransaction
from apps.credits.selectors import main_wallet
from apps.credits.selectors.budgets import month_of
from apps.tenants.models import Organization

DAYS = 30
MOST_ENTRIES = 50_000  # newest ones; more of them are not looked at


@dataclass(frozen=True)
class Charge:
    """One charge that there would have been."""

    at: datetime
    balance: int  # credits, right before
    credits: int
    amount: int  # minor units


@dataclass(frozen=True)
class Simulation:
    """What would have happened."""

    begins_at: datetime
    ends_at: datetime
    charges: list[Charge]
    currency: str
    lowest: int | None  # credits: what the balance would have fallen to; None: nothing moved
    refused_by_cap: int  # debits after which only the limit of the month stood against a charge
    is_cut: bool  # there were more movements than are looked at

    @property
    def amount(self) -> int:
        """What would have been charged: minor units."""
        return sum(one.amount for one in self.charges)

    @property
    def credits(self) -> int:
        """What would have been bought."""
        return sum(one.credits for one in self.charges)


def simulate(organization: Organization, reload: AutoReload, terms: CustomTerms) -> Simulation:
    """
    Live through the last 30 days again, as if each charge had been paid at once.

    Real automatic reloads of that time are taken away, so that they are not counted twice.
    """
    now = database_now()
    begins = now - timedelta(days=DAYS)
    found = CreditTransaction.objects.filter(
        organization=organization, wallet=main_wallet(organization), created_at__gte=begins
    )
    newest = found.order_by("-created_at", "-sequence").values_list(
        "created_at", "amount", "balance_after", "source"
    )
    rows = list(newest[:MOST_ENTRIES])[::-1]
    life = _Life(organization.time_zone, reload, terms)
    for row in rows:
        life.live(*row)
    return Simulation(
        begins_at=begins,
        ends_at=now,
        charges=life.charges,
        currency=terms.currency,
        lowest=life.lowest,
        refused_by_cap=life.refused_by_cap,
        is_cut=len(rows) == MOST_ENTRIES,
    )


class _Life:
    """The balance as it would have been, movement by movement."""

    def __init__(self, time_zone: str, reload: AutoReload, terms: CustomTerms) -> None:
        self.time_zone, self.reload, self.terms = time_zone, reload, terms
        self.charges: list[Charge] = []
        self.spent: Counter[date] = Counter()  # minor units, by month
        self.recent: deque[datetime] = deque(maxlen=MOST_IN_WINDOW)
        self.added = 0  # credits: bought in this life, less what was really reloaded
        self.lowest: int | None = None
        self.refused_by_cap = 0

    def live(self, at: datetime, amount: int, balance_after: int, source: str) -> None:
        """Let one movement happen, and charge after a debit if a reload is due."""
        if source == "reload":
            self.added -= amount
        balance = balance_after + self.added
        self.lowest = balance if self.lowest is None else min(self.lowest, balance)
        if amount < 0 and balance < self.reload.threshold and self._may(at):
            self._charge(at, balance)

    def _may(self, at: datetime) -> bool:
        if self.recent and at < self.recent[-1] + LEAST_PAUSE:
            return False
        return len(self.recent) < MOST_IN_WINDOW or at >= self.recent[0] + WINDOW

    def _charge(self, at: datetime, balance: int) -> None:
        credits = size_of(self.reload, balance, self.terms)
        amount, month = self.terms.amount_of(credits), month_of(self.time_zone, at)
        cap = self.reload.monthly_cap
        if cap is not None and self.spent[month] + amount > cap:
            self.refused_by_cap += 1
            return
        self.charges.append(Charge(at, balance, credits, amount))
        self.spent[month] += amount
        self.recent.append(at)
        self.added += credits


def largest_spend(organization: Organization) -> int:
    """Return the credits of the largest single use in the last 30 days, or 0."""
    spent = CreditTransaction.objects.filter(
        organization=organization,
        wallet=main_wallet(organization),
        created_at__gte=database_now() - timedelta(days=DAYS),
        transaction_type__in=["consumed", "held"],
    )
    # One use may draw on several lots.
    uses = spent.values("reference").annotate(total=-Sum("amount")).order_by("-total")
    return uses.values_list("total", flat=True).first() or 0
