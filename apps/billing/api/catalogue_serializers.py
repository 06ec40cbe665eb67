"""Shapes of what is sold. Prices are in minor units of their currency."""

from typing import Any

from rest_framework import serializers

from apps.billing.models import PlanVersion, ProductVersion


class FeaturesOut(serializers.Serializer[Any]):
    """What a plan gives beside credits and seats; keys that it does not have are left out."""

    unlimited_operations = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Names or categories of credit events that cost nothing.",
    )
    max_concurrent_jobs = serializers.IntegerField(required=False)
    support = serializers.ChoiceField(["community", "email", "priority"], required=False)


class PlanOut(serializers.ModelSerializer[PlanVersion]):
    """A plan as it is offered now."""

    id = serializers.CharField(source="plan.public_id")
    object = serializers.CharField(default="plan", read_only=True)
    code = serializers.CharField(source="plan.code")
    name = serializers.CharField(source="plan.name")
    description = serializers.CharField(source="plan.description")
    version = serializers.CharField(source="public_id", help_text="What one subscribes to.")
    version_number = serializers.IntegerField(source="number")
    price = serializers.IntegerField(
        help_text="For one period, and one unit if it has a quantity; minor units."
    )
    interval_count = serializers.IntegerField(
        help_text="Months or years of one period; the days of a pass."
    )
    included_credits = serializers.IntegerField(help_text="For one period, and one unit.")
    rollover_cap = serializers.IntegerField(
        help_text="Unused credits that the next period gets at most."
    )
    max_users = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    features = FeaturesOut()

    class Meta:
        model = PlanVersion
        fields = [
            "id",
            "object",
            "code",
            "name",
            "description",
            "version",
            "version_number",
            "effective_at",
            "price",
            "currency",
            "interval",
            "interval_count",
            "included_credits",
            "rollover_cap",
            "max_users",
            "has_quantity",
            "trial_days",
            "features",
        ]


class CreditProductOut(serializers.ModelSerializer[ProductVersion]):
    """A pack of credits as it is sold now."""

    id = serializers.CharField(source="product.public_id")
    object = serializers.CharField(default="credit_product", read_only=True)
    code = serializers.CharField(source="product.code")
    name = serializers.CharField(source="product.name")
    description = serializers.CharField(source="product.description")
    version = serializers.CharField(source="public_id", help_text="What one buys.")
    version_number = serializers.IntegerField(source="number")
    credits = serializers.IntegerField(source="all_credits", help_text="All that the buyer gets.")
    bonus_credits = serializers.IntegerField(help_text="Those of them that are given.")
    price = serializers.IntegerField(help_text="Minor units.")
    valid_days = serializers.IntegerField(allow_null=True, help_text="Null: they do not expire.")

    class Meta:
        model = ProductVersion
        fields = [
            "id",
            "object",
            "code",
            "name",
            "description",
            "version",
            "version_number",
            "effective_at",
            "credits",
            "bonus_credits",
            "price",
            "currency",
            "valid_days",
        ]
