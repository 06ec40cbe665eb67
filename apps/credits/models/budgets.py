"""Budgets: what a wallet may spend in a month, and how much of it is spent."""

from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.credits.models.wallets import Wallet
from apps.tenants.models import Organization


class Budget(Row):
    """
    A limit on what a wallet spends in a calendar month.

    A charge or hold that would bring the month above it is refused. The time zone is
    fixed when the budget is made, so that no month is ever redrawn.
    """

    PREFIX = "bud"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    monthly_limit = models.BigIntegerField()  # credits
    time_zone = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet"],
                condition=Q(is_active=True),
                name="credits_wallet_has_one_active_budget",
            ),
            models.CheckConstraint(
                name="credits_budget_is_not_negative", condition=Q(monthly_limit__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.monthly_limit} a month"


class BudgetMonth(models.Model):
    """
    What a budget's wallet has spent in one month, net of what came back.

    Only who holds the wallet's lock writes it, in the transaction in which credits move.
    """

    budget = models.ForeignKey(Budget, models.PROTECT, related_name="months", db_index=False)
    month = models.DateField()  # its first day, in the budget's time zone
    used = models.BigIntegerField(default=0)  # credits

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "month"], name="credits_budget_counts_a_month_once"
            ),
            models.CheckConstraint(
                name="credits_budget_use_is_not_negative", condition=Q(used__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.used}"
