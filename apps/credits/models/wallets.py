"""Wallets: the balances, and the rows that are locked."""

from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.tenants.models import Organization, User

NO_HASH = bytes(32)  # what the first entry of a wallet follows


class Wallet(Row):
    """
    A balance, and the row that is locked whenever credits move.

    `balance` is what its lots hold; `sequence`, `head_hash` and `head_at` are those of
    its last transaction. Only the ledger writes them, and the database checks it.
    """

    PREFIX = "wal"

    class Kind(models.TextChoices):
        """Whose it is."""

        ORGANIZATION = "organization"
        MEMBER = "member"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.ORGANIZATION)
    # The person whose own it is, once a member's wallet has one: he spends from it alone.
    holder = models.ForeignKey(User, models.PROTECT, related_name="+", null=True, blank=True)
    balance = models.BigIntegerField(default=0)  # credits
    held = models.BigIntegerField(default=0)  # credits set aside by open holds
    # Whether an active budget limits it: read with the lock, so that most charges look no further
    has_budget = models.BooleanField(default=False, db_default=False)
    credit_line = models.BigIntegerField(default=0)  # credits that may be owed
    # Credits that are owed beside the line: they were used, and their money went back.
    owed_back = models.BigIntegerField(default=0, db_default=0)
    sequence = models.BigIntegerField(default=0)
    head_hash = models.BinaryField(max_length=32, default=NO_HASH)
    head_at = models.DateTimeField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(kind="organization"),
                name="credits_organization_has_one_main_wallet",
            ),
            models.UniqueConstraint(
                fields=["organization", "holder"],
                condition=Q(holder__isnull=False),
                name="credits_holder_has_one_wallet",
            ),
            models.CheckConstraint(
                name="credits_only_members_wallets_have_a_holder",
                condition=Q(holder=None) | Q(kind="member"),
            ),
            models.CheckConstraint(
                name="credits_balance_is_covered",
                condition=Q(balance__gte=-F("credit_line") - F("owed_back")),
            ),
            models.CheckConstraint(
                name="credits_owed_back_is_not_negative", condition=Q(owed_back__gte=0)
            ),
            models.CheckConstraint(name="credits_held_is_not_negative", condition=Q(held__gte=0)),
            models.CheckConstraint(
                name="credits_credit_line_is_not_negative", condition=Q(credit_line__gte=0)
            ),
            models.CheckConstraint(
                name="credits_wallet_kind_is_known",
                condition=Q(kind__in=["organization", "member"]),
            ),
            models.CheckConstraint(
                name="credits_unused_wallet_is_empty",
                condition=Q(sequence__gt=0) | Q(sequence=0, balance=0, head_at=None),
            ),
        ]
        indexes = [models.Index(fields=["organization", "kind"], name="credits_wallets_of_tenant")]

    def __str__(self) -> str:
        return f"{self.organization} {self.kind}"
