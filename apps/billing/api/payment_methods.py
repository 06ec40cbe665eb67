"""List saved cards, save another one, choose which is charged, and remove one."""

import hashlib
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.billing.api.keyed import write_then_ask
from apps.billing.services import cards, customers
from apps.billing.services import payment_methods as services
from apps.core import idempotency
from apps.rbac.api.base import TenantAPIView


class PaymentMethodOut(serializers.Serializer[Any]):
    """A saved card, or another way to pay; never more of it than a receipt shows."""

    id = serializers.CharField(help_text="Stripe's: pm_…")
    object = serializers.CharField(default="payment_method")
    type = serializers.CharField(help_text="Stripe's word: card, sepa_debit, …")
    brand = serializers.CharField(help_text="Of a card; else empty.")
    last4 = serializers.CharField(help_text="Of a card; else empty.")
    exp_month = serializers.IntegerField(allow_null=True)
    exp_year = serializers.IntegerField(allow_null=True)
    is_default = serializers.BooleanField(help_text="It is the one that is charged.")
    created_at = serializers.DateTimeField()


class PaymentMethodSetupOut(serializers.Serializer[Any]):
    """The way to save a card."""

    object = serializers.CharField(default="payment_method_setup")
    url = serializers.CharField(help_text="Stripe's page on which a person saves it.")


class PaymentMethods(TenantAPIView):
    """What the organization has saved to pay with."""

    is_paged = False
    permissions = {"GET": "billing.view", "POST": "billing.manage"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="payment_methods_list",
        tags=["billing"],
        responses=PaymentMethodOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return what is saved, as Stripe says that it is, the newest first."""
        found = PaymentMethodOut(services.methods_of(self.organization), many=True).data
        return Response({"object": "list", "data": found, "has_more": False})

    @extend_schema(
        operation_id="payment_methods_create",
        tags=["billing"],
        request=None,
        responses={201: PaymentMethodSetupOut},
    )
    def post(self, request: Request) -> Response:
        """
        Begin to save a card: answers Stripe's page, where a person types it.

        Once it is saved there, it is the one that is charged.
        """
        key = idempotency.read_key(request.headers.get("Idempotency-Key"))
        digest = hashlib.sha256(f"{self.principal}:{key}".encode()).hexdigest()

        def ask(customer_id: UUID) -> dict[str, Any]:
            url = cards.page_to_save_card(
                organization=self.organization, key=f"setup:{customer_id}:{digest}"
            )
            return dict(PaymentMethodSetupOut({"url": url}).data)

        return write_then_ask(
            request,
            principal=self.principal,
            write=lambda: customers.write_down(self.organization),
            ask=ask,
            place=lambda row: reverse("api:billing:payment_methods"),
        )


class OnePaymentMethod(TenantAPIView):
    """One saved card."""

    permissions = {"DELETE": "billing.manage"}

    @extend_schema(operation_id="payment_methods_delete", tags=["billing"], responses={204: None})
    def delete(self, request: Request, method_id: str) -> Response:
        """Remove it for good; refused (409) while something is charged to it."""
        services.remove(organization=self.organization, method_id=method_id)
        return Response(status=204)


class DefaultPaymentMethod(TenantAPIView):
    """Which saved card is charged."""

    permissions = {"PUT": "billing.manage"}

    @extend_schema(
        operation_id="payment_methods_make_default",
        tags=["billing"],
        request=None,
        responses=PaymentMethodOut,
    )
    def put(self, request: Request, method_id: str) -> Response:
        """Let this one be charged from now on, for a subscription as well. May be repeated."""
        method = services.make_default(organization=self.organization, method_id=method_id)
        return Response(PaymentMethodOut(method).data)
