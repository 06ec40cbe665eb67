"""Read and set the billing details."""

from contextlib import suppress
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.errors import BillingNotConfigured, StripeUnavailable
from apps.billing.models import BillingDetails
from apps.billing.models.details import MOST_EMAILS
from apps.billing.selectors.details import details_of
from apps.billing.services import details as services
from apps.billing.services.details_pushing import push
from apps.core.api import validated
from apps.core.errors import NotFound
from apps.rbac.api.base import TenantAPIView


class BillingDetailsIn(serializers.Serializer[Any]):
    """What stands on the invoices; what is left out is empty."""

    legal_name = serializers.CharField(max_length=200)
    line1 = serializers.CharField(max_length=200, allow_blank=True, default="")
    line2 = serializers.CharField(max_length=200, allow_blank=True, default="")
    city = serializers.CharField(max_length=100, allow_blank=True, default="")
    postal_code = serializers.CharField(max_length=20, allow_blank=True, default="")
    state = serializers.CharField(max_length=100, allow_blank=True, default="")
    country = serializers.CharField(
        max_length=2, allow_blank=True, default="", help_text="ISO 3166-1 alpha-2: `DE`."
    )
    tax_id_type = serializers.ChoiceField(
        choices=BillingDetails.TaxIdType.choices, allow_blank=True, default=""
    )
    tax_id = serializers.CharField(max_length=50, allow_blank=True, default="")
    po_number = serializers.CharField(
        max_length=100,
        allow_blank=True,
        default="",
        help_text="A purchase order of your own, printed on each invoice.",
    )
    emails = serializers.ListField(
        child=serializers.EmailField(),
        max_length=MOST_EMAILS,
        default=list,
        help_text="Stripe sends invoices to the first.",
    )


class BillingDetailsOut(serializers.ModelSerializer[BillingDetails]):
    """What stands on the invoices, and what Stripe has of it."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="billing_details", read_only=True)
    at_stripe = serializers.ChoiceField(
        source="standing",
        choices=BillingDetails.Standing.choices,
        help_text="Whether Stripe has them: what waits is told again by itself.",
    )
    refusal = serializers.CharField(help_text="Why Stripe refused them; else empty.")

    class Meta:
        model = BillingDetails
        fields = [
            *("id", "object", *BillingDetails.WRITTEN),
            *("at_stripe", "refusal", "pushed_at", "changed_at"),
        ]


class Details(TenantAPIView):
    """The organization's billing details."""

    permissions = {"GET": "billing.view", "PUT": "billing.manage"}

    @extend_schema(
        operation_id="billing_details_retrieve", tags=["billing"], responses=BillingDetailsOut
    )
    def get(self, request: Request) -> Response:
        """Return what stands on the invoices; 404 where nobody has said it yet."""
        found = details_of(self.organization)
        if found is None:
            raise NotFound
        return Response(BillingDetailsOut(found).data)

    @extend_schema(
        operation_id="billing_details_update",
        tags=["billing"],
        request=BillingDetailsIn,
        responses=BillingDetailsOut,
    )
    def put(self, request: Request) -> Response:
        """
        Set all of them; new invoices have them, and those that are issued stay as they are.

        They are written down here and then told to Stripe; where it does not answer they wait
        (`at_stripe`), and are told by themselves.
        """
        fields = validated(BillingDetailsIn, request.data)
        wanted = services.Wanted(**{**fields, "emails": tuple(fields["emails"])})
        with transaction.atomic():
            details = services.set_details(organization=self.organization, wanted=wanted)
        with suppress(BillingNotConfigured, StripeUnavailable):
            details = push(details)
        return Response(BillingDetailsOut(details).data)
