"""Transactions: every movement of a lot, append-only."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from apps.core.models import PublicId
from apps.core.rows import RowManager
from apps.core.walls import Wall
from apps.credits.models.lots import Lot
from apps.credits.models.prices import CreditEvent
from apps.credits.models.wallets import Wallet
from apps.tenants.models import Organization


class CreditTransaction(PublicId, models.Model):
    """
    One movement of one lot: append-only, numbered and chained within its wallet.

    An operation that draws on two lots writes two rows with one reference. Rows are
    written by the ledger alone; the database re-verifies every chain that is inserted.
    """

    PREFIX = "txn"
    # Staff lock the table when they close a month; no trigger lets anybody update a row.
    WALL = Wall(web="SELECT, INSERT", staff="SELECT, INSERT, UPDATE")

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
        REPAID = "repaid"  # out of a lot, and into a debt
        REDATED = "redated"  # out of a lot, and into one with another expiry

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

    objects = RowManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "sequence"], name="credits_sequence_has_no_twin"
            ),
            # Once for each movement that it gives back: a hold and its overflow may both have
            # drawn on one lot.
            models.UniqueConstraint(
                fields=["wallet", "reference", "transaction_type", "lot", "reverses"],
                name="credits_cause_moves_a_lot_once",
                nulls_distinct=False,
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
                # What was taken back is given back where the money stayed after all.
                | Q(transaction_type="clawed_back", amount__gt=0, reverses__isnull=False)
                | (Q(transaction_type__in=["adjusted", "repaid", "redated"]) & ~Q(amount=0)),
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
            # Charges are by far the most: they need no index to be found, and pay for none.
            models.Index(
                fields=["wallet", "transaction_type", "-sequence"],
                condition=~Q(transaction_type="consumed"),
                name="credits_entries_but_charges",
            ),
            # For sums over months. Rows are appended in the order of time, so a few kilobytes
            # that say which times are in which blocks are enough.
            BrinIndex(fields=["created_at"], name="credits_entries_by_time", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.transaction_type} {self.amount:+d} {self.reference}"
