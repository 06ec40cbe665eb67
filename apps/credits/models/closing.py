"""The monthly close: what each wallet had, what moved, and what it has, for good."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core.models import Row
from apps.core.rows import RowManager
from apps.core.walls import Wall


class ClosedPeriod(Row):
    """
    A month (UTC) of the whole instance into which nothing is written any more.

    The row itself is the seal: a trigger refuses transactions older than the end of the
    last one. Months are closed in order and without a gap, from that of the first
    transaction on, so everything before that end is closed. What the month held is in one
    `ClosedWallet` for each wallet that has ever moved, and in one `ClosedTotals`; both are
    written after the seal, when the rows that they sum can no longer change. All three are
    append-only.
    """

    PREFIX = "per"
    WALL = Wall(whose="", web="SELECT", staff="SELECT, INSERT, UPDATE")

    month = models.DateField(unique=True)  # its first day
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(unique=True)  # exclusive
    closed_by = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="credits_period_is_a_month", condition=Q(starts_at__lt=F("ends_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class ClosedWallet(models.Model):
    """A wallet's line of a closed month: opening + in − out = closing, and where it stood."""

    WALL = Wall(web="SELECT", staff="SELECT, INSERT, UPDATE")

    period = models.ForeignKey(ClosedPeriod, models.PROTECT, related_name="wallets", db_index=False)
    organization = models.ForeignKey(
        "tenants.Organization", models.PROTECT, related_name="+", db_index=False
    )
    wallet = models.ForeignKey("credits.Wallet", models.PROTECT, related_name="+", db_index=False)
    opening = models.BigIntegerField()  # credits
    credits_in = models.BigIntegerField()
    credits_out = models.BigIntegerField()  # as a positive number
    closing = models.BigIntegerField()  # credits
    totals = models.JSONField(default=dict)  # credits by transaction type, signed
    sequence = models.BigIntegerField()  # of the last transaction in or before the month
    head_hash = models.BinaryField(max_length=32)  # and its hash: an anchor of the chain

    objects = RowManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["period", "wallet"], name="credits_wallet_is_closed_once"
            ),
            models.CheckConstraint(
                name="credits_closed_wallet_adds_up",
                condition=Q(closing=F("opening") + F("credits_in") - F("credits_out")),
            ),
            models.CheckConstraint(
                name="credits_closed_wallet_moves_forwards",
                condition=Q(credits_in__gte=0, credits_out__gte=0, sequence__gt=0),
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "wallet"], name="credits_closed_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.opening} + {self.credits_in} - {self.credits_out} = {self.closing}"


class ClosedTotals(models.Model):
    """The sums of a closed month, and its liability at the last instant."""

    WALL = Wall(whose="", web="", staff="SELECT, INSERT, UPDATE")

    period = models.OneToOneField(
        ClosedPeriod, models.PROTECT, related_name="totals", primary_key=True
    )
    wallets = models.PositiveIntegerField()  # how many lines
    opening = models.BigIntegerField()  # credits
    credits_in = models.BigIntegerField()
    credits_out = models.BigIntegerField()
    closing = models.BigIntegerField()  # credits
    totals = models.JSONField(default=dict)  # credits by transaction type, signed
    deferred_revenue = models.JSONField(default=dict)  # minor units by currency, exact, as text
    breakage_credits = models.BigIntegerField(default=0)  # expired unspent in the month
    breakage_value = models.JSONField(default=dict)  # minor units by currency, exact, as text
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="credits_closed_totals_add_up",
                condition=Q(closing=F("opening") + F("credits_in") - F("credits_out")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opening} + {self.credits_in} - {self.credits_out} = {self.closing}"


class LiabilityReport(ClosedPeriod):
    """No rows of its own: gives the liability report an address and a permission in the admin."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = "liability"
        verbose_name_plural = "liability"
