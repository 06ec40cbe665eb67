"""Lots: credits of one origin."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.credits.models.wallets import Wallet
from apps.tenants.models import Organization


class Lot(Row):
    """
    Credits of one origin: they burn, expire and are given back together.

    What was granted never changes; `remaining` follows the lot's transactions. A debt is
    a lot as well: less than nothing was granted, and less than nothing remains until
    credits that come in repay it.

    Credits that leave a lot for one with another date, or come back after their lot has died,
    are in its heir: whatever becomes of the money, becomes of the lot and its heirs alike.

    Credits of a lot that returns were handed on, and go back to the lot that they came from if
    they are not used. At their date they are not written off, but wait to be recalled.
    """

    PREFIX = "lot"

    class Kind(models.TextChoices):
        """Where credits come from."""

        TRIAL = "trial"
        PROMOTIONAL = "promotional"
        PARTNER = "partner"
        SUBSCRIPTION = "subscription"
        PURCHASE = "purchase"
        GENERATION = "generation"
        ADJUSTMENT = "adjustment"
        DEBT = "debt"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    granted = models.BigIntegerField()  # credits
    remaining = models.BigIntegerField()  # credits
    priority = models.PositiveSmallIntegerField()  # the lowest burns first
    effective_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)  # exclusive
    unit_cost = models.DecimalField(  # minor units of `currency` paid for one credit
        max_digits=18, decimal_places=6, default=0
    )
    currency = models.CharField(max_length=3, blank=True)  # ISO 4217, lower case
    features = ArrayField(  # names or categories of credit events that may draw on it; null: all
        models.CharField(max_length=100), null=True, blank=True
    )
    frozen_at = models.DateTimeField(null=True, blank=True)
    origin = models.CharField(max_length=200)  # the cause: payment:…, trial:…
    heir_of = models.ForeignKey(  # of the first one, however many heirs there were in between
        "self", models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    returns_to = models.ForeignKey(  # the lot that these came from, and go back to if not used
        "self", models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    # Indexes ask this and not `remaining`, so that a charge that leaves something in the
    # lot changes no index (PostgreSQL's heap-only update).
    has_credits = models.GeneratedField(
        expression=models.ExpressionWrapper(~Q(remaining=0), output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "origin"], name="credits_one_lot_per_origin"),
            models.CheckConstraint(
                name="credits_lot_grants_something",
                condition=(~Q(kind="debt") & Q(granted__gt=0)) | Q(kind="debt", granted__lt=0),
            ),
            models.CheckConstraint(
                name="credits_remaining_is_part_of_granted",
                condition=Q(remaining__gte=0, remaining__lte=F("granted"))
                | Q(remaining__lte=0, remaining__gte=F("granted")),
            ),
            models.CheckConstraint(
                name="credits_lot_ends_after_it_begins",
                condition=Q(expires_at=None) | Q(expires_at__gt=F("effective_at")),
            ),
            models.CheckConstraint(
                name="credits_lot_kind_is_known",
                condition=Q(
                    kind__in=[
                        "trial",
                        "promotional",
                        "partner",
                        "subscription",
                        "purchase",
                        "generation",
                        "adjustment",
                        "debt",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="credits_unit_cost_has_a_currency",
                condition=Q(unit_cost=0) | Q(unit_cost__gt=0, currency__regex=r"^[a-z]{3}$"),
            ),
            models.CheckConstraint(
                name="credits_debts_return_nowhere",
                condition=Q(returns_to=None) | ~Q(kind="debt"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet"],
                condition=Q(has_credits=True),
                name="credits_lots_with_credits",
            ),
            models.Index(
                fields=["expires_at", "wallet"],
                condition=Q(has_credits=True),
                name="credits_lots_by_expiry",
            ),
            models.Index(fields=["organization", "-created_at"], name="credits_lots_of_tenant"),
            models.Index(
                fields=["heir_of"],
                condition=Q(heir_of__isnull=False),
                name="credits_heirs",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(has_credits=True, returns_to__isnull=False),
                name="credits_lots_to_recall",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.origin}"
