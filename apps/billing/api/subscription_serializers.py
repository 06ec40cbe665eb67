"""Shapes of the subscription's API. Money is in minor units; times are UTC."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from apps.billing.models import OrganizationSubscription
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.subscriptions.previewing import Preview
from apps.billing.services.subscriptions.upcoming import Line, NextInvoice


class PlanIn(serializers.Serializer[Any]):
    """Which plan, and for how many units where it is bought for some."""

    plan = serializers.SlugField(max_length=50, help_text="Its code.")
    quantity = serializers.IntegerField(min_value=1, max_value=reading.LARGEST_QUANTITY, default=1)


class ChangeIn(PlanIn):
    """Which plan, and which preview was agreed to."""

    moment = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="That of the preview, so that what it showed is what is charged.",
    )


class CancelIn(serializers.Serializer[Any]):
    """Why it ends, if anybody wants to say so."""

    reason = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class SubscriptionOut(serializers.ModelSerializer[OrganizationSubscription]):
    """The plan that an organization has, and until when."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="subscription", read_only=True)
    plan = serializers.CharField(source="version.plan.code")
    plan_version = serializers.IntegerField(source="version.number")
    status = serializers.ChoiceField(choices=OrganizationSubscription.Status.choices)
    next_plan = serializers.CharField(
        source="next_version.plan.code",
        default=None,
        allow_null=True,
        help_text="What it changes to at the end of the period.",
    )
    pay_url = serializers.CharField(
        help_text="Stripe's page on which it begins; empty where there is nothing to pay."
    )
    works_until = serializers.SerializerMethodField()
    is_limited = serializers.BooleanField(
        help_text="It ends with `current_period_end` by itself: a pass, or a plan that was given."
    )

    class Meta:
        model = OrganizationSubscription
        fields = [
            *("id", "object", "plan", "plan_version", "quantity", "status", "pay_url"),
            *("current_period_start", "current_period_end", "trial_end", "is_limited"),
            *("cancel_at_period_end", "cancel_reason", "next_plan", "next_quantity"),
            *("works_until", "past_due_since", "paused_at", "ended_at", "created_at"),
        ]

    def get_works_until(self, row: OrganizationSubscription) -> datetime | None:
        """Tell until when it works although a payment failed; null if none did."""
        return reading.grace_ends(row)


class StateOut(serializers.Serializer[Any]):
    """The subscription that is not over, or null; and what its plan allows now."""

    object = serializers.CharField(default="subscription_state", read_only=True)
    subscription = SubscriptionOut(allow_null=True)
    waiting = SubscriptionOut(
        allow_null=True, help_text="What waits for its first payment, perhaps beside another plan."
    )
    unlimited_operations = serializers.ListField(
        child=serializers.CharField(),
        help_text="Names and categories of the price list that cost no credits now.",
    )


class PreviewOut(serializers.Serializer[Preview]):
    """What a change would do; it is posted as shown if the change names its `moment`."""

    object = serializers.CharField(default="subscription_preview", read_only=True)
    takes_effect = serializers.ChoiceField(source="kind", choices=["now", "later"])
    plan = serializers.CharField(source="version.plan.code")
    quantity = serializers.IntegerField()
    moment = serializers.DateTimeField(allow_null=True)
    charge = serializers.IntegerField(help_text="What is charged now, tax included.")
    currency = serializers.CharField()
    credits_taken = serializers.IntegerField(source="swap.taken")
    credits_given = serializers.IntegerField(source="swap.given")
    next_at = serializers.DateTimeField(allow_null=True)
    next_amount = serializers.IntegerField(help_text="Of the next renewal, without tax.")
    seats_before = serializers.IntegerField(allow_null=True, help_text="null: no limit")
    seats_after = serializers.IntegerField(allow_null=True)


class NextLineOut(serializers.Serializer[Line]):
    """One line of the next invoice."""

    description = serializers.CharField()
    quantity = serializers.IntegerField(allow_null=True)
    amount = serializers.IntegerField(help_text="Without tax.")
    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField(help_text="Exclusive.")


class NextInvoiceOut(serializers.Serializer[NextInvoice]):
    """The next invoice as Stripe would make it now."""

    object = serializers.CharField(default="next_invoice", read_only=True)
    date = serializers.DateTimeField()
    lines = NextLineOut(many=True)
    has_more_lines = serializers.BooleanField()
    discount = serializers.IntegerField()
    tax = serializers.IntegerField()
    total = serializers.IntegerField(help_text="With tax.")
    amount_due = serializers.IntegerField(help_text="The total, less a credit that Stripe keeps.")
    currency = serializers.CharField()
    credits = serializers.IntegerField(help_text="That come once it is paid.")


class UpcomingOut(serializers.Serializer[Any]):
    """What is charged next; null where nothing is."""

    object = serializers.CharField(default="subscription_upcoming", read_only=True)
    next_invoice = NextInvoiceOut(allow_null=True)
