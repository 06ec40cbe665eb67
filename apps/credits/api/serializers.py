"""Shapes of the credits API. Credits are whole numbers; times are UTC."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from apps.credits.models import CreditEvent, CreditTransaction, Lot


class BalanceOut(serializers.Serializer[Any]):
    """What can be spent, is set aside and owed, and what is lost first."""

    object = serializers.CharField(default="balance", read_only=True)
    available = serializers.IntegerField()
    held = serializers.IntegerField()
    debt = serializers.IntegerField()
    expiring_amount = serializers.IntegerField()
    expiring_at = serializers.DateTimeField(allow_null=True)
    as_of = serializers.SerializerMethodField()

    def get_as_of(self, _: Any) -> datetime | None:
        """Name the moment that was asked for; null: now."""
        moment: datetime | None = self.context.get("as_of")
        return moment


class LotOut(serializers.ModelSerializer[Lot]):
    """Credits of one origin."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="lot", read_only=True)

    class Meta:
        model = Lot
        fields = [
            "id",
            "object",
            "kind",
            "granted",
            "remaining",
            "priority",
            "effective_at",
            "expires_at",
            "created_at",
        ]


class TransactionOut(serializers.ModelSerializer[CreditTransaction]):
    """One movement of one lot."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="transaction", read_only=True)
    type = serializers.CharField(source="transaction_type")
    lot = serializers.CharField(source="lot.public_id")
    event = serializers.CharField(source="credit_event.name", default=None, allow_null=True)
    entry_hash = serializers.SerializerMethodField()

    class Meta:
        model = CreditTransaction
        fields = [
            "id",
            "object",
            "sequence",
            "type",
            "amount",
            "balance_after",
            "lot",
            "event",
            "source",
            "source_id",
            "reference",
            "description",
            "actor",
            "request_id",
            "entry_hash",
            "created_at",
        ]

    def get_entry_hash(self, entry: CreditTransaction) -> str:
        """Write the hash in hexadecimal."""
        return bytes(entry.entry_hash).hex()


class CreditEventOut(serializers.ModelSerializer[CreditEvent]):
    """What one unit of something costs now."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="credit_event", read_only=True)

    class Meta:
        model = CreditEvent
        fields = [
            "id",
            "object",
            "name",
            "category",
            "description",
            "credit_cost",
            "unit",
            "effective_at",
        ]
