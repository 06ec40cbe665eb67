"""Buy credits, and read what was paid."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.billing.api.keyed import write_then_ask
from apps.billing.api.payment_serializers import PaymentOut
from apps.billing.errors import NotForSale
from apps.billing.models import Payment
from apps.billing.selectors.offers import LARGEST, pack_named
from apps.billing.selectors.payments import (
    PAYMENT_COLUMNS,
    PaymentFilters,
    matching,
    payment_of,
    payment_rows,
    payments_of,
)
from apps.billing.selectors.refunds import with_reversals
from apps.billing.services import checkout, purchases
from apps.core.api import paginated, validated, validated_query
from apps.core.exports import stream_csv
from apps.core.renderers import CsvRenderer
from apps.rbac.api.base import TenantAPIView


class PurchaseIn(serializers.Serializer[Any]):
    """What to buy: a pack, or as many credits as one likes."""

    pack = serializers.SlugField(max_length=50, required=False, help_text="Its code.")
    credits = serializers.IntegerField(
        min_value=1, max_value=LARGEST, required=False, help_text="In place of a pack."
    )
    amount = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="The price that you expect, in minor units: another one is refused.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """
        Ask for one thing.

        :raises ValidationError: if none is named, or both are.
        """
        if ("pack" in attrs) == ("credits" in attrs):
            raise ValidationError("Name a pack, or a number of credits: one of the two.")
        return attrs


class PaymentParameters(serializers.Serializer[Any]):
    """Which payments to list."""

    status = serializers.MultipleChoiceField(choices=Payment.Status.choices, required=False)
    purpose = serializers.ChoiceField(choices=Payment.Purpose.choices, required=False)
    created_from = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False, help_text="Exclusive.")


class BuyingView(TenantAPIView):
    """A view that buys something on Stripe's page."""

    def buy(self, request: Request, write: Callable[[], Payment]) -> Response:
        """Write the purchase down once for its key, and answer with the page to pay it on."""
        return write_then_ask(
            request,
            principal=self.principal,
            write=write,
            ask=self.ask,
            place=lambda row: reverse("api:billing:payment", args=[row.public_id]),
        )

    def ask(self, payment_id: UUID) -> dict[str, Any]:
        """Ask for Stripe's page, and return the payment."""
        payment = checkout.open_checkout(payment_of(self.organization, payment_id))
        return dict(PaymentOut(payment_of(self.organization, payment.pk)).data)


class Purchases(BuyingView):
    """Credits that are bought."""

    permissions = {"POST": "billing.manage"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="purchases_create",
        tags=["billing"],
        request=PurchaseIn,
        responses={201: PaymentOut},
        examples=[
            OpenApiExample("A pack", value={"pack": "starter"}, request_only=True),
            OpenApiExample(
                "As many as one likes", value={"credits": 1500, "amount": 3000}, request_only=True
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """
        Buy credits: answers the payment, with the page of Stripe's on which a person pays it.

        Where Stripe does not answer (503), the payment is written down and goes on by itself;
        the same request with the same key answers it.
        """
        fields = validated(PurchaseIn, request.data)
        return self.buy(request, lambda: self.write(**fields))

    def write(
        self, *, pack: str | None = None, credits: int | None = None, amount: int | None = None
    ) -> Payment:
        """
        Write the purchase down.

        :raises NotForSale: if no such pack is offered.
        """
        if credits is not None:
            return purchases.buy_amount(
                organization=self.organization, user=self.user, credits=credits, amount=amount
            )
        version = pack_named(pack or "")
        if version is None:
            raise NotForSale
        return purchases.buy_pack(
            organization=self.organization, user=self.user, version_id=version.pk, amount=amount
        )


class Payments(TenantAPIView):
    """The organization's payments."""

    permissions = {"GET": "billing.view"}

    @extend_schema(
        operation_id="payments_list",
        tags=["billing"],
        parameters=[PaymentParameters],
        responses=PaymentOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return payments, newest first."""
        known = frozenset(PaymentParameters().fields)
        rows = matching(payments_of(self.organization), filters_of(request))
        return paginated(request, with_reversals(rows), PaymentOut, parameters=known)


class PaymentsCsv(TenantAPIView):
    """Every payment as a file."""

    permissions = {"GET": "billing.view"}
    renderer_classes = [JSONRenderer, CsvRenderer]

    @extend_schema(
        operation_id="payments_export",
        tags=["billing"],
        parameters=[PaymentParameters],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return all payments that fit the filters as CSV, newest first."""
        validated_query(PaymentParameters, request)
        rows = matching(payments_of(self.organization), filters_of(request))
        return stream_csv(
            filename=f"{self.organization.slug}-payments.csv",
            columns=PAYMENT_COLUMNS,
            rows=payment_rows(rows),
        )


class OnePayment(TenantAPIView):
    """One payment."""

    permissions = {"GET": "billing.view"}

    @extend_schema(operation_id="payments_retrieve", tags=["billing"], responses=PaymentOut)
    def get(self, request: Request, payment_id: str) -> Response:
        """Return a payment, as far as it is."""
        found = payment_of(self.organization, Payment.read_id(payment_id))
        return Response(PaymentOut(found).data)


def filters_of(request: Request) -> PaymentFilters:
    """Return which payments the address asks for."""
    asked = validated(PaymentParameters, request.query_params)
    return PaymentFilters(
        statuses=sorted(asked.get("status", ())),
        purpose=asked.get("purpose"),
        created_from=asked.get("created_from"),
        created_before=asked.get("created_before"),
    )
