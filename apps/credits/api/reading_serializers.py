"""Shapes of what can be asked of the ledger and what it answers. Credits are whole numbers."""

from datetime import date
from typing import Any

from rest_framework import serializers

from apps.core.days import is_sensible
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import (
    GROUPINGS,
    Basis,
    Period,
    Reason,
    Status,
    TransactionFilters,
)
from apps.credits.selectors.periods import NAMED

TYPES = CreditTransaction.Type.choices
MOST_DAYS = 366


class AsOf(serializers.Serializer[Any]):
    """Which moment is asked for."""

    as_of = serializers.DateTimeField(
        required=False, help_text="Any moment, past or to come; now, if it is left out."
    )


class LotParameters(AsOf):
    """Which lots are asked for."""

    status = serializers.ChoiceField(
        choices=["open", "scheduled", "frozen", "expired", "debt", "all"],
        default="open",
        help_text="Of the lots that hold or owe credits; `all` has the open ones first.",
    )


class TransactionParameters(serializers.Serializer[Any]):
    """Which transactions are asked for. Filters add up."""

    type = serializers.ChoiceField(choices=TYPES, required=False)
    type__in = serializers.CharField(
        required=False, help_text="Several types, separated by commas."
    )
    event = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Name of a credit event; finds refunds as well. `none`: without an event.",
    )
    source = serializers.CharField(  # type: ignore[assignment]  # a declared field
        required=False, max_length=50
    )
    actor = serializers.CharField(
        required=False,
        max_length=100,
        help_text="`user:usr_…`, `key:key_…` or `system:…`, as transactions show it; "
        "finds refunds of what he was charged as well.",
    )
    lot = serializers.CharField(required=False, max_length=40)
    created_at__gte = serializers.DateTimeField(required=False)
    created_at__lt = serializers.DateTimeField(required=False)
    amount__gte = serializers.IntegerField(required=False, help_text="Signed credits.")
    amount__lte = serializers.IntegerField(required=False, help_text="Signed credits.")
    q = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Part of the description; or a whole source id, reference or request id.",
    )

    def validate_type__in(self, value: str) -> list[str]:
        """Check each of the types."""
        asked = [one.strip() for one in value.split(",") if one.strip()]
        if unknown := sorted(set(asked) - dict(TYPES).keys()):
            raise serializers.ValidationError(f"There is no type {unknown[0]!r}.")
        return asked

    def validate_lot(self, value: str) -> Any:
        """Read the lot's id."""
        lot_id = Lot.read_id(value)
        if lot_id is None:
            raise serializers.ValidationError("This is no id of a lot.")
        return lot_id


def filters_of(asked: dict[str, Any]) -> TransactionFilters:
    """Return the filters that the parameters stand for."""
    types = asked.get("type__in") or []
    if "type" in asked:
        types = [asked["type"], *types]
    return TransactionFilters(
        types=types,
        event=asked.get("event"),
        source=asked.get("source"),
        actor=asked.get("actor"),
        lot_id=asked.get("lot"),
        created_from=asked.get("created_at__gte"),
        created_before=asked.get("created_at__lt"),
        amount_min=asked.get("amount__gte"),
        amount_max=asked.get("amount__lte"),
        text=asked.get("q", ""),
    )


class UsageParameters(serializers.Serializer[Any]):
    """Which usage is asked for: a period by name, or by its first and last day."""

    period = serializers.ChoiceField(choices=list(NAMED), default="30d")
    date__gte = serializers.DateField(required=False, help_text="With date__lte, instead.")
    date__lte = serializers.DateField(required=False, help_text="This day included.")
    group_by = serializers.ChoiceField(choices=list(GROUPINGS), default="event")
    actor = serializers.CharField(required=False, max_length=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that the days make a period."""
        first, last = attrs.get("date__gte"), attrs.get("date__lte")
        if (first is None) != (last is None):
            missing = "date__gte" if first is None else "date__lte"
            raise serializers.ValidationError({missing: "Give both days, or none."})
        attrs["chosen"] = NAMED[attrs["period"]]() if first is None else _period(first, last)
        return attrs


def _period(first: date, last: Any) -> Period:
    if last < first:
        raise serializers.ValidationError({"date__lte": "This is before the first day."})
    if (last - first).days >= MOST_DAYS:
        raise serializers.ValidationError({"date__lte": f"At most {MOST_DAYS} days."})
    if not (is_sensible(first) and is_sensible(last)):
        raise serializers.ValidationError({"date__gte": "No credits are kept of such a year."})
    return Period(first, last)


class ExplainParameters(AsOf):
    """Which number is asked about."""

    of = serializers.ChoiceField(choices=["balance", "usage", "transaction"], default="balance")
    date = serializers.DateField(required=False, help_text="The day, for `usage`; else today.")
    transaction = serializers.CharField(
        required=False, max_length=40, help_text="The id, for `transaction`."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that the number is named."""
        if attrs["of"] == "transaction" and "transaction" not in attrs:
            raise serializers.ValidationError({"transaction": "Name the transaction."})
        return attrs


class StandingOut(serializers.Serializer[Any]):
    """A lot as it stands: what is left, and why it burns where it does."""

    id = serializers.CharField(source="lot.public_id")
    object = serializers.CharField(default="lot", read_only=True)
    kind = serializers.CharField(source="lot.kind")
    status = serializers.ChoiceField(choices=[one.value for one in Status])
    place = serializers.IntegerField(allow_null=True, help_text="In burn order, from 1.")
    reason = serializers.ChoiceField(
        choices=[one.value for one in Reason],
        allow_null=True,
        help_text="The first rule in which it differs from the lot after it.",
    )
    explanation = serializers.CharField(help_text="The reason in a sentence.")
    granted = serializers.IntegerField(source="lot.granted")
    remaining = serializers.IntegerField()
    priority = serializers.IntegerField(source="lot.priority")
    features = serializers.ListField(
        source="lot.features",
        child=serializers.CharField(),
        allow_null=True,
        help_text="Events or categories that may draw on it; null: all.",
    )
    effective_at = serializers.DateTimeField(source="lot.effective_at")
    expires_at = serializers.DateTimeField(source="lot.expires_at", allow_null=True)
    created_at = serializers.DateTimeField(source="lot.created_at")


class LeafOut(serializers.Serializer[Any]):
    """One addend."""

    label = serializers.CharField()  # type: ignore[assignment]  # a declared field
    amount = serializers.IntegerField()
    count = serializers.IntegerField(help_text="Transactions behind it.")
    note = serializers.CharField()
    lot = serializers.CharField(source="lot.public_id", default=None, allow_null=True)
    transaction = serializers.CharField(
        source="transaction.public_id", default=None, allow_null=True
    )


class PartOut(LeafOut):
    """One addend, and the parts that add up to it in turn."""

    parts = LeafOut(many=True)


class ExplanationOut(serializers.Serializer[Any]):
    """A number, and the parts that add up to it."""

    object = serializers.CharField(default="explanation", read_only=True)
    of = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)
    date = serializers.DateField(source="day", allow_null=True)
    amount = serializers.IntegerField()
    sum = serializers.IntegerField(help_text="What the parts make: the same as `amount`.")
    adds_up = serializers.BooleanField()
    sentence = serializers.CharField()
    parts = PartOut(many=True)
    beside = PartOut(many=True, help_text="What belongs with it and does not count.")


class UseOut(serializers.Serializer[Any]):
    """Charges, and what was given back of them."""

    credits = serializers.IntegerField(help_text="Charged less given back.")
    charged = serializers.IntegerField()
    given_back = serializers.IntegerField()
    count = serializers.IntegerField(help_text="Charges.")


class GroupOut(serializers.Serializer[Any]):
    """What one event, category, source or actor used."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a declared field
    use = UseOut()
    credits_before = serializers.IntegerField(source="before")


class GroupOfDayOut(serializers.Serializer[Any]):
    """What one group used on a day."""

    key = serializers.CharField()
    credits = serializers.IntegerField()


class DayOut(serializers.Serializer[Any]):
    """What was used on a day."""

    date = serializers.DateField()
    use = UseOut()
    groups = GroupOfDayOut(many=True)


class UsageOut(serializers.Serializer[Any]):
    """What was used in a period. Groups and days each add up to the total."""

    object = serializers.CharField(default="usage", read_only=True)
    first_date = serializers.DateField(source="period.first")
    last_date = serializers.DateField(source="period.last")
    group_by = serializers.CharField()
    total = UseOut()
    credits_before = serializers.IntegerField(
        source="before", help_text="Used in the period of the same length before."
    )
    groups = GroupOut(many=True)
    days = DayOut(many=True)


class UnusedOut(serializers.Serializer[Any]):
    """Credits of a lot that will expire unused."""

    lot = serializers.CharField(source="lot.public_id")
    kind = serializers.CharField(source="lot.kind")
    expires_at = serializers.DateTimeField(source="lot.expires_at")
    amount = serializers.IntegerField()
    at_least = serializers.IntegerField()
    at_most = serializers.IntegerField()


class ForecastOut(serializers.Serializer[Any]):
    """When credits run out if it goes on as lately; dates are null beyond a year."""

    object = serializers.CharField(default="forecast", read_only=True)
    basis = serializers.ChoiceField(choices=[one.value for one in Basis])
    made_at = serializers.DateTimeField()
    days = serializers.IntegerField(help_text="Whole days that were looked at.")
    used = serializers.IntegerField(help_text="Credits used in those days.")
    is_by_weekday = serializers.BooleanField()
    confidence_percent = serializers.IntegerField()
    runs_out_on = serializers.DateField(allow_null=True)
    earliest_on = serializers.DateField(allow_null=True)
    latest_on = serializers.DateField(allow_null=True)
    unused_credits = serializers.IntegerField()
    unused = UnusedOut(many=True)
