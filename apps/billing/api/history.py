"""Read the billing history: invoices, receipts and credit notes."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.models import BillingDocument, InvoiceAttempt
from apps.billing.selectors.document_search import LONGEST
from apps.billing.selectors.history import (
    DOCUMENT_COLUMNS,
    DocumentFilters,
    document_of,
    document_rows,
    documents_of,
    last_attempt_of,
    matching_documents,
)
from apps.core.api import paginated, validated, validated_query
from apps.core.exports import stream_csv
from apps.core.renderers import CsvRenderer
from apps.rbac.api.base import TenantAPIView


class InvoiceAttemptOut(serializers.ModelSerializer[InvoiceAttempt]):
    """One attempt to pay an open invoice with the saved card."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="invoice_attempt", read_only=True)

    class Meta:
        model = InvoiceAttempt
        fields = [
            *("id", "object", "status", "failure_code", "failure_message"),
            *("created_at", "ended_at"),
        ]


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
    billed_to = serializers.CharField(
        help_text="The lines of the billing details when it was issued; empty if there were none."
    )
    last_attempt = serializers.SerializerMethodField()

    class Meta:
        model = BillingDocument
        fields = [
            *("id", "object", "type", "number", "status", "amount", "tax", "currency"),
            *("amount_due", "issued_at", "due_at", "paid_at", "period_start", "period_end"),
            *("payment", "stripe_id", "hosted_url", "pdf_url", "billed_to", "last_attempt"),
        ]

    @extend_schema_field(InvoiceAttemptOut(allow_null=True))
    def get_last_attempt(self, document: BillingDocument) -> dict[str, Any] | None:
        """Return the newest attempt to pay it with the saved card."""
        last = last_attempt_of(document)
        return dict(InvoiceAttemptOut(last).data) if last else None


class DocumentParameters(serializers.Serializer[Any]):
    """Which documents to list."""

    type = serializers.MultipleChoiceField(choices=BillingDocument.Kind.choices, required=False)
    status = serializers.MultipleChoiceField(choices=BillingDocument.Status.choices, required=False)
    is_overdue = serializers.BooleanField(
        default=False, help_text="Only what is open, and was due before now."
    )
    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST,
        help_text="A number, an amount (24.00), an id, or the name of what was bought.",
    )
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


class OneDocument(TenantAPIView):
    """One document."""

    permissions = {"GET": "billing.view"}

    @extend_schema(
        operation_id="billing_history_retrieve", tags=["billing"], responses=BillingDocumentOut
    )
    def get(self, request: Request, document_id: str) -> Response:
        """Return a document as it stands."""
        found = document_of(self.organization, BillingDocument.read_id(document_id))
        return Response(BillingDocumentOut(found).data)


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
        is_overdue=asked["is_overdue"],
        text=asked.get("q", ""),
        issued_from=asked.get("issued_from"),
        issued_before=asked.get("issued_before"),
    )
