"""The one ledger: wallets, the lots in them, every movement of a lot, and the price list."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core.models import PublicId, Row
from apps.tenants.models import Organization

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
    balance = models.BigIntegerField(default=0)  # credits
    held = models.BigIntegerField(default=0)  # credits set aside by open holds
    credit_line = models.BigIntegerField(default=0)  # credits that may be owed
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
            models.CheckConstraint(
                name="credits_balance_is_covered", condition=Q(balance__gte=-F("credit_line"))
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


class Lot(Row):
    """
    Credits of one origin: they burn, expire and are given back together.

    What was granted never changes; `remaining` follows the lot's transactions.
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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "origin"], name="credits_one_lot_per_origin"),
            models.CheckConstraint(name="credits_lot_grants_something", condition=Q(granted__gt=0)),
            models.CheckConstraint(
                name="credits_remaining_is_part_of_granted",
                condition=Q(remaining__gte=0, remaining__lte=F("granted")),
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
                    ]
                ),
            ),
            models.CheckConstraint(
                name="credits_unit_cost_has_a_currency",
                condition=Q(unit_cost=0) | Q(unit_cost__gt=0, currency__regex=r"^[a-z]{3}$"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet", "priority"],
                condition=Q(remaining__gt=0),
                name="credits_lots_with_credits",
            ),
            models.Index(
                fields=["expires_at", "wallet"],
                condition=Q(remaining__gt=0),
                name="credits_lots_by_expiry",
            ),
            models.Index(fields=["organization", "-created_at"], name="credits_lots_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.origin}"


class CreditEvent(Row):
    """
    What one unit of something costs, from a moment on: one row for each version.

    A price is never edited: a new version is added, and past charges keep theirs.
    """

    PREFIX = "cev"

    name = models.CharField(max_length=100)  # image.restyle
    description = models.TextField(blank=True)
    category = models.CharField(max_length=50)  # compute, storage, api_call
    credit_cost = models.BigIntegerField(validators=[MinValueValidator(0)])  # credits per unit
    unit = models.CharField(max_length=30, default="unit")
    is_active = models.BooleanField(default=True)
    metadata = models.JSONField(default=dict, blank=True)
    effective_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "effective_at"], name="credits_one_price_at_a_time"
            ),
            models.CheckConstraint(
                name="credits_cost_is_not_negative", condition=Q(credit_cost__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.credit_cost}"


class CreditTransaction(PublicId, models.Model):
    """
    One movement of one lot: append-only, numbered and chained within its wallet.

    An operation that draws on two lots writes two rows with one reference. Rows are
    written by the ledger alone; the database re-verifies every chain that is inserted.
    """

    PREFIX = "txn"

    class Type(models.TextChoices):
        """What kind of movement it is; the sign of the amount follows from it."""

        EARNED = "earned"
        PURCHASED = "purchased"
        CONSUMED = "consumed"
        HELD = "held"
        RELEASED = "released"
        REFUNDED = "refunded"
        EXPIRED = "expired"
        VOIDED = "voided"
        TRANSFERRED_IN = "transferred_in"
        TRANSFERRED_OUT = "transferred_out"
        ADJUSTED = "adjusted"
        CLAWED_BACK = "clawed_back"

    id = models.UUIDField(primary_key=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="+", db_index=False)
    sequence = models.BigIntegerField()  # 1, 2, 3 … within the wallet
    transaction_type = models.CharField(max_length=20, choices=Type)
    amount = models.BigIntegerField()  # credits, signed
    balance_after = models.BigIntegerField()  # credits, of the wallet
    lot_balance_after = models.BigIntegerField()  # credits, of the lot
    source = models.CharField(max_length=50)  # job, trial, purchase, expiry …
    source_id = models.CharField(max_length=100, blank=True)
    reference = models.CharField(max_length=200)  # the cause: job:job_01K…:1
    credit_event = models.ForeignKey(
        CreditEvent, models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    reverses = models.ForeignKey(
        "self", models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    actor = models.CharField(max_length=100)
    request_id = models.CharField(max_length=128, blank=True)
    stripe_payment_intent_id = models.CharField(max_length=255, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)  # the lot's, when granted
    description = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()  # the database's clock after the lock
    entry_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "sequence"], name="credits_sequence_has_no_twin"
            ),
            models.UniqueConstraint(
                fields=["wallet", "reference", "transaction_type", "lot"],
                name="credits_cause_moves_a_lot_once",
            ),
            models.CheckConstraint(
                name="credits_sign_follows_from_type",
                condition=Q(
                    amount__gt=0,
                    transaction_type__in=[
                        "earned",
                        "purchased",
                        "released",
                        "refunded",
                        "transferred_in",
                    ],
                )
                | Q(
                    amount__lt=0,
                    transaction_type__in=[
                        "consumed",
                        "held",
                        "expired",
                        "voided",
                        "transferred_out",
                        "clawed_back",
                    ],
                )
                | (Q(transaction_type="adjusted") & ~Q(amount=0)),
            ),
            models.CheckConstraint(
                name="credits_transaction_has_a_cause",
                condition=~Q(reference="") & ~Q(source="") & ~Q(actor=""),
            ),
            models.CheckConstraint(
                name="credits_sequence_begins_at_one", condition=Q(sequence__gt=0)
            ),
        ]
        indexes = [
            models.Index(fields=["lot", "-sequence"], name="credits_entries_of_lot"),
            models.Index(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="credits_reversals",
            ),
            models.Index(
                fields=["organization", "-created_at", "-id"], name="credits_entries_of_tenant"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transaction_type} {self.amount:+d} {self.reference}"
