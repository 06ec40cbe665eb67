"""Budgets: what may be used in a month, how much of it is used, and who was told of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.core.models import Mailed, Row
from apps.core.rows import RowManager
from apps.credits.models.wallets import Wallet
from apps.tenants.models import Organization, User

THRESHOLDS = (50, 80, 100)  # percent of the limit, unless somebody chose others


def default_thresholds() -> list[int]:
    """Return the thresholds of a budget for which none were chosen."""
    return list(THRESHOLDS)


class Budget(Row):
    """
    A limit on what is used of a wallet in a calendar month, by everybody or by one member.

    One that stops refuses the charge or hold that would bring the month above it. The
    months are those of the organization: its time zone is kept here as well, so that the
    ledger need not ask for it, and changes here in the transaction that changes it there.
    """

    PREFIX = "bud"

    class Action(models.TextChoices):
        """What it does when the limit is reached."""

        STOP = "stop"
        NOTIFY = "notify"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    # Whose use is counted, that of his keys too; None: everybody's
    member = models.ForeignKey(User, models.PROTECT, related_name="+", null=True, blank=True)
    monthly_limit = models.BigIntegerField()  # credits
    action = models.CharField(max_length=10, choices=Action, default=Action.STOP)
    thresholds = ArrayField(models.PositiveSmallIntegerField(), default=default_thresholds)
    time_zone = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "member"],
                condition=Q(is_active=True),
                name="credits_wallet_has_one_active_budget",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="credits_budget_is_not_negative", condition=Q(monthly_limit__gte=0)
            ),
            models.CheckConstraint(
                name="credits_budget_action_is_known", condition=Q(action__in=["stop", "notify"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.monthly_limit} a month"


class BudgetMonth(models.Model):
    """
    What was used of a budget in one month, net of what came back.

    Only who holds the wallet's lock writes it, in the transaction in which credits move.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    budget = models.ForeignKey(Budget, models.PROTECT, related_name="months", db_index=False)
    month = models.DateField()  # its first day, in the budget's time zone
    used = models.BigIntegerField(default=0)  # credits
    monthly_limit = models.BigIntegerField()  # credits, as it was last in this month

    objects = RowManager()

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


class BudgetAlert(Mailed):
    """
    One mail about a budget: a threshold was reached, or somebody tries the mail.

    The row is written before the mail; `mail_due_at` is when a worker may send it, and
    moves on while one has claimed it. None: it is over, whether or not it was sent.
    """

    PREFIX = "bal"

    class Status(models.TextChoices):
        """How far it has come; told by its columns, and kept nowhere."""

        WAITING = "waiting"
        SENT = "sent"
        DROPPED = "dropped"  # nobody to tell, or the month is over

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    budget = models.ForeignKey(Budget, models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()  # as in BudgetMonth
    percent = models.PositiveSmallIntegerField()  # the threshold
    monthly_limit = models.BigIntegerField()  # credits, of which it is the percentage
    used = models.BigIntegerField()  # credits, when it was found
    is_test = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "month", "monthly_limit", "percent"],
                condition=Q(is_test=False),
                name="credits_one_alert_per_threshold",
            ),
            models.CheckConstraint(
                name="credits_sent_alert_is_over", condition=Q(sent_at=None) | Q(mail_due_at=None)
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(fields=["budget", "-created_at"], name="credits_alerts_of_budget"),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.monthly_limit}"

    @property
    def status(self) -> Status:
        """How far it has come."""
        if self.sent_at is not None:
            return self.Status.SENT
        return self.Status.DROPPED if self.mail_due_at is None else self.Status.WAITING
