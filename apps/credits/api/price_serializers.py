"""Shapes of prices, checks and quotes. Costs are in credits; nothing is written by asking."""

from typing import Any

from rest_framework import serializers

from apps.credits.models import CreditEvent
from apps.credits.services.quotes import Item

MOST_LINES = 100
LARGEST_QUANTITY = 10**9
LARGEST_AMOUNT = 10**15  # credits


class ItemIn(serializers.Serializer[Any]):
    """Units of an event of the price list, or an amount of credits: one of the two."""

    event = serializers.CharField(max_length=100, required=False)
    quantity = serializers.IntegerField(min_value=1, max_value=LARGEST_QUANTITY, required=False)
    amount = serializers.IntegerField(min_value=1, max_value=LARGEST_AMOUNT, required=False)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        """
        Check that it is one of the two, and make an item of it.

        :raises ValidationError: if both are given, or neither, or a quantity of credits.
        """
        if ("event" in fields) == ("amount" in fields):
            raise serializers.ValidationError("Send either event or amount.", "event_or_amount")
        if "amount" in fields and "quantity" in fields:
            message = "An amount has no quantity."
            raise serializers.ValidationError({"quantity": message}, "event_or_amount")
        return {"item": Item(**fields)}


class CreditQuoteIn(serializers.Serializer[Any]):
    """What would be charged together, in this order."""

    lines = serializers.ListField(child=ItemIn(), allow_empty=False, max_length=MOST_LINES)


class CheckOut(serializers.Serializer[Any]):
    """Whether one charge would be carried out now."""

    object = serializers.CharField(default="check", read_only=True)
    allowed = serializers.BooleanField(source="is_allowed")
    reason = serializers.CharField(
        allow_null=True, help_text="The code of the refusal that a charge would meet."
    )
    cost = serializers.IntegerField()
    available = serializers.IntegerField(help_text="Credits that this charge could draw on.")
    after = serializers.IntegerField(
        allow_null=True, help_text="What would be left of them; null if it is not allowed."
    )


class DrawOut(serializers.Serializer[Any]):
    """Credits that would be taken from one lot."""

    lot = serializers.CharField()
    kind = serializers.CharField()
    amount = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)


class QuoteLineOut(CheckOut):
    """One line of a quote, after the lines before it."""

    object = serializers.CharField(default="quote_line", read_only=True)
    event = serializers.CharField(source="item.event", allow_null=True)
    quantity = serializers.IntegerField(source="item.quantity")
    credit_cost = serializers.IntegerField(
        source="price.credit_cost", default=None, allow_null=True, help_text="For one unit."
    )
    unit = serializers.CharField(source="price.unit", default=None, allow_null=True)
    draws = DrawOut(many=True)


class CreditQuoteOut(serializers.Serializer[Any]):
    """What the lines cost together, all or nothing."""

    object = serializers.CharField(default="quote", read_only=True)
    allowed = serializers.BooleanField(source="is_allowed")
    reason = serializers.CharField(allow_null=True, help_text="The first line's that is refused.")
    total = serializers.IntegerField()
    available = serializers.IntegerField(help_text="Credits in all open lots.")
    after = serializers.IntegerField(allow_null=True)
    lines = QuoteLineOut(many=True)


class PriceListIn(serializers.Serializer[Any]):
    """Filters of the price list."""

    category = serializers.CharField(max_length=50, required=False)


class PriceVersionOut(serializers.ModelSerializer[CreditEvent]):
    """What an event costs or has cost, from a moment on."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="credit_event_version", read_only=True)

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
            "is_active",
            "effective_at",
        ]
