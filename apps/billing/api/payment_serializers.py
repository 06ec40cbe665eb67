"""Shapes of payments, and of what went back of them. Amounts are in minor units."""

from rest_framework import serializers

from apps.billing.models import Dispute, Payment, Refund
from apps.billing.selectors.orders import subject_of


class RefundOut(serializers.ModelSerializer[Refund]):
    """Money of a payment that goes back, or did."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="refund", read_only=True)
    status = serializers.ChoiceField(
        choices=Refund.Status.choices,
        help_text="One that has succeeded may still fail: then its bank has sent the money back.",
    )
    amount = serializers.IntegerField(help_text="Minor units of the payment's currency.")
    credits_taken_back = serializers.IntegerField(source="credits")

    class Meta:
        model = Refund
        fields = ["id", "object", "status", "amount", "credits_taken_back", "created_at"]


class DisputeOut(serializers.ModelSerializer[Dispute]):
    """A payment that the cardholder has his bank take back, or an inquiry of the bank."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="dispute", read_only=True)
    status = serializers.ChoiceField(choices=Dispute.Status.choices)
    amount = serializers.IntegerField(help_text="Minor units of the payment's currency.")
    reason = serializers.CharField(help_text="Stripe's word for it.")
    credits_taken_back = serializers.IntegerField(source="credits")

    class Meta:
        model = Dispute
        fields = [
            *("id", "object", "status", "amount", "reason", "credits_taken_back"),
            *("opened_at", "closed_at"),
        ]


class PaymentOut(serializers.ModelSerializer[Payment]):
    """A payment: what it is for, how far it is, where it is paid, and what went back of it."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="payment", read_only=True)
    purpose = serializers.ChoiceField(choices=Payment.Purpose.choices)
    status = serializers.ChoiceField(choices=Payment.Status.choices)
    pack = serializers.CharField(
        source="product_version.product.code", default=None, allow_null=True
    )
    plan = serializers.CharField(
        source="plan_version.plan.code",
        default=None,
        allow_null=True,
        help_text="Of a pass, and of a subscription's invoice.",
    )
    subject = serializers.SerializerMethodField(
        help_text="What is bought, where that is neither credits nor a plan: a reservation."
    )
    description = serializers.CharField(help_text="The same in words; empty for credits and plans.")
    livemode = serializers.BooleanField(source="is_live")
    pay_url = serializers.CharField(
        help_text="Stripe's page on which it is paid; empty where there is nothing to pay."
    )
    amount = serializers.IntegerField(help_text="Minor units, without tax.")
    tax = serializers.IntegerField(help_text="Minor units.")
    refunded = serializers.IntegerField(help_text="Minor units, tax included.")
    refund_status = serializers.ChoiceField(choices=["none", "partial", "full"])
    credits_taken_back = serializers.IntegerField(
        source="clawed_back", help_text="For refunds and lost disputes together."
    )
    credits_taken_back_as_debt = serializers.IntegerField(
        source="clawed_back_as_debt",
        help_text="Those of them that were used already: the next credits repay them.",
    )
    disputed_at = serializers.DateTimeField(
        allow_null=True,
        help_text="Since when a dispute is open: what is left of its credits cannot be used.",
    )
    refunds = RefundOut(many=True, read_only=True, help_text="The newest first.")
    disputes = DisputeOut(many=True, read_only=True, help_text="The newest first.")

    class Meta:
        model = Payment
        fields = [
            *("id", "object", "purpose", "pack", "plan", "subject", "description"),
            *("status", "livemode"),
            *("credits", "valid_days", "amount", "tax", "currency", "refunded"),
            *("refund_status", "credits_taken_back", "credits_taken_back_as_debt"),
            *("disputed_at", "refunds", "disputes", "pay_url"),
            *("failure_code", "failure_message", "created_at", "settled_at"),
        ]

    def get_subject(self, payment: Payment) -> str | None:
        """Return the id of what is paid, of the app that sells it."""
        return subject_of(payment)
