"""Read the billing history: invoices, receipts and credit notes."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.models import BillingDocument
from apps.billing.selectors.history import (
    DOCUMENT_COLUMNS,
    DocumentFilters,
    document_rows,
    documents_of,
    matching_documents,
)
from apps.core.api import paginated, validated, validated_query
from apps.core.exports import stream_csv
from apps.core.renderers import CsvRenderer
from apps.rbac.api.base import TenantAPIView


class BillingDocumentOut(serializers.ModelSerializer[BillingDocument]):
    """An invoice, a receipt or a credit note."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="billing_document", read_only=True)
    type = serializers.ChoiceField(source="kind", choices=BillingDocument.Kind.choices)
    amount = serializers.IntegerField(help_text="Minor units, with tax.")
    tax = serializers.IntegerField(help_text="Minor units; part of the amount.")
    amount_due = serializers.IntegerField(help_text="Minor units that are still to be paid.")
    payment = serializers.CharField(source="payment.public_id", default=None, allow_null=True)
    hosted_url = serializers.CharField(help_text="Stripe's page of it; empty if there is none.")
    pdf_url = serializers.CharField(help_text="Stripe's PDF of it; empty if there is none.")

    class Meta:
        model = BillingDocument
        fields = [
            *("id", "object", "type", "number", "status", "amount", "tax", "currency"),
            *("amount_due", "issued_at", "due_at", "paid_at", "period_start", "period_end"),
            *("payment", "stripe_id", "hosted_url", "pdf_url"),
        ]


class DocumentParameters(serializers.Serializer[Any]):
    """Which documents to list."""

    type = serializers.MultipleChoiceField(choices=BillingDocument.Kind.choices, required=False)
    status = serializers.MultipleChoiceField(choices=BillingDocument.Status.choices, required=False)
    issued_from = serializers.DateTimeField(required=False)
    issued_before = serializers.DateTimeField(required=False, help_text="Exclusive.")


class BillingHistory(TenantAPIView):
    """The organization's documents."""

    permissions = {"GET": "billing.view"}

    @extend_schema(
        operation_id="billing_history_list",
        tags=["billing"],
        parameters=[DocumentParameters],
        responses=BillingDocumentOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return documents, the latest first."""
        known = frozenset(DocumentParameters().fields)
        rows = matching_documents(documents_of(self.organization), filters_of(request))
        key = ("issued_at", "id")
        return paginated(request, rows, BillingDocumentOut, key=key, parameters=known)


class BillingHistoryCsv(TenantAPIView):
    """Every document as a file."""

    permissions = {"GET": "billing.view"}
    renderer_classes = [JSONRenderer, CsvRenderer]

    @extend_schema(
        operation_id="billing_history_export",
        tags=["billing"],
        parameters=[DocumentParameters],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return all documents that fit the filters as CSV, the latest first."""
        validated_query(DocumentParameters, request)
        rows = matching_documents(documents_of(self.organization), filters_of(request))
        return stream_csv(
            filename=f"{self.organization.slug}-billing-history.csv",
            columns=DOCUMENT_COLUMNS,
            rows=document_rows(rows),
        )


def filters_of(request: Request) -> DocumentFilters:
    """Return which documents the address asks for."""
    asked = validated(DocumentParameters, request.query_params)
    return DocumentFilters(
        kinds=sorted(asked.get("type", ())),
        statuses=sorted(asked.get("status", ())),
        issued_from=asked.get("issued_from"),
        issued_before=asked.get("issued_before"),
    )
