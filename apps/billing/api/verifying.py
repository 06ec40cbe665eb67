"""Ask how a payment stands, on the way back from Stripe's page."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.api.payment_serializers import PaymentOut
from apps.billing.models import Payment
from apps.billing.selectors.payments import payment_of, payment_of_session
from apps.billing.services import checkout
from apps.core.api import validated
from apps.rbac.api.base import TenantAPIView


class PaymentVerifyIn(serializers.Serializer[Any]):
    """Which payment: by its own id, or by that of Stripe's session."""

    payment = serializers.CharField(max_length=40, required=False, help_text="pay_…")
    session = serializers.CharField(max_length=255, required=False, help_text="Stripe's cs_…")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """
        Ask for one payment.

        :raises ValidationError: if none is named, or both are.
        """
        if len(attrs) != 1:
            raise ValidationError("Name a payment, or a session of Stripe's: one of the two.")
        return attrs


class VerifyPayment(TenantAPIView):
    """How a payment stands at Stripe."""

    permissions = {"POST": "billing.view"}

    @extend_schema(
        operation_id="payments_verify",
        tags=["billing"],
        request=PaymentVerifyIn,
        responses=PaymentOut,
        examples=[
            OpenApiExample("By the payment", value={"payment": "pay_01K…"}, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """
        Ask Stripe how a payment stands, and do what its webhook would do; safe to repeat.

        What was bought is there once the status is `succeeded`.
        """
        found = self.named(validated(PaymentVerifyIn, request.data))
        checkout.look(found)
        return Response(PaymentOut(payment_of(self.organization, found.pk)).data)

    def named(self, asked: dict[str, str]) -> Payment:
        """
        Return the organization's payment that is named.

        :raises NotFound: if it has none like this.
        """
        if "session" in asked:
            return payment_of_session(self.organization, asked["session"])
        return payment_of(self.organization, Payment.read_id(asked["payment"]))
