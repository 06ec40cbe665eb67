"""What a former system knew of credits: balances that became lots, and their history to read."""

from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.walls import Wall
from apps.credits.models.wallets import Wallet
from apps.tenants.models import Organization

ONLY_READ = Wall(web="SELECT")  # written by commands


class FormerAccount(Row):
    """
    A balance of a former system, imported once: a lot of the wallet, unless it was nothing.

    `history_digest` is the sum of what is in its movements, so that the same file is known again.
    `difference` is what the movements do not explain of the balance; somebody said why.
    """

    PREFIX = "fac"
    WALL = ONLY_READ

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    former_id = models.CharField(max_length=100)  # of the user or organization
    balance = models.BigIntegerField()  # credits
    history_digest = models.BinaryField(max_length=32, null=True)  # None: no history yet
    difference = models.BigIntegerField(default=0)  # credits; balance less movements
    difference_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["former_id"], name="credits_former_account_is_imported_once"
            ),
            models.CheckConstraint(
                name="credits_former_balance_is_not_negative", condition=Q(balance__gte=0)
            ),
            models.CheckConstraint(
                name="credits_former_difference_has_a_reason",
                condition=Q(difference=0, difference_reason="")
                | ~Q(difference=0) & ~Q(difference_reason="") & Q(history_digest__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.former_id


class FormerMovement(Row):
    """
    One movement of a former system, to be read and nothing else: no balance here depends on it.

    Written once.
    """

    PREFIX = "fmv"
    WALL = ONLY_READ

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(
        FormerAccount, models.PROTECT, related_name="movements", db_index=False
    )
    former_id = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    kind = models.CharField(max_length=100, blank=True)  # as it was called there
    amount = models.BigIntegerField()  # credits, signed
    balance_after = models.BigIntegerField(null=True, blank=True)  # credits, as it said
    description = models.TextField(blank=True)
    stripe_payment_intent_id = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "former_id"], name="credits_former_movement_is_imported_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organization", "-occurred_at", "-id"], name="credits_former_of_tenant"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount:+d}"
