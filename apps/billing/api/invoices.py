"""Pay open invoices with the saved card, sum them up, and take the statement of a month."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.billing.api.history import InvoiceAttemptOut
from apps.billing.api.keyed import write_then_ask
from apps.billing.models import BillingDocument
from apps.billing.selectors.billing_statements import statement_facts, statement_name
from apps.billing.selectors.history import sums_of
from apps.billing.services import invoice_attempts
from apps.core.api import validated_query
from apps.core.documents import pdf_response
from apps.core.renderers import PdfRenderer
from apps.rbac.api.base import TenantAPIView


class TotalOut(serializers.Serializer[Any]):
    """Sums of the invoices of one currency, in minor units."""

    currency = serializers.CharField()
    invoiced = serializers.IntegerField(help_text="All but void ones, with tax, paid or not.")
    due = serializers.IntegerField(help_text="Still to be paid on open ones.")
    overdue = serializers.IntegerField(help_text="The part of it whose due date is over.")


class StatementParameters(serializers.Serializer[Any]):
    """Which month."""

    month = serializers.DateField(input_formats=["%Y-%m"], help_text="`2026-10`, UTC.")


class PayInvoice(TenantAPIView):
    """Paying an open invoice now."""

    permissions = {"POST": "billing.manage"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="billing_history_pay",
        tags=["billing"],
        request=None,
        responses={201: InvoiceAttemptOut},
    )
    def post(self, request: Request, document_id: str) -> Response:
        """
        Charge an open invoice to the saved card: answers 201 if it is paid or the bank works on it.

        A decline is 402 `payment_declined` with the bank's reason; 402 `authentication_needed`
        has the page on which a person confirms it (`pay_url`). Where Stripe does not answer
        (503), the attempt is written down and asked again by itself; the same request with the
        same key says what came of it, and never charges twice.
        """
        row_id = BillingDocument.read_id(document_id)
        return write_then_ask(
            request,
            principal=self.principal,
            write=lambda: invoice_attempts.request(
                organization=self.organization, user=self.user, document_id=row_id
            ),
            ask=self.ask,
            place=lambda row: reverse("api:billing:document", args=[document_id]),
        )

    def ask(self, attempt_id: UUID) -> dict[str, Any]:
        """
        Ask Stripe, and return the attempt.

        :raises PaymentDeclined: if the bank said no.
        :raises AuthenticationNeeded: if the bank wants to see the customer.
        :raises StripeRefused: if Stripe refused it.
        :raises StripeUnavailable: if Stripe does not answer.
        """
        attempt = invoice_attempts.resume(self.organization, attempt_id)
        invoice_attempts.raise_refusal(attempt)
        return dict(InvoiceAttemptOut(attempt).data)


class Totals(TenantAPIView):
    """Sums of the organization's invoices."""

    is_paged = False
    permissions = {"GET": "billing.view"}

    @extend_schema(
        operation_id="billing_history_totals", tags=["billing"], responses=TotalOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return what was invoiced, is due and is overdue, for each currency."""
        found = TotalOut(sums_of(self.organization), many=True).data
        return Response({"object": "list", "data": found, "has_more": False})


class Statement(TenantAPIView):
    """The statement of a month."""

    permissions = {"GET": "billing.view"}
    renderer_classes = [JSONRenderer, PdfRenderer]

    @extend_schema(
        operation_id="billing_history_statement",
        tags=["billing"],
        parameters=[StatementParameters],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """
        Return what was billed, credited and paid in a month (UTC) as a PDF.

        :raises StatementTooLarge: if it has more documents than a PDF holds.
        """
        month = validated_query(StatementParameters, request)["month"]
        return pdf_response(
            filename=statement_name(self.organization, month),
            template="billing/statement_document.html",
            facts=statement_facts(self.organization, month),
        )
