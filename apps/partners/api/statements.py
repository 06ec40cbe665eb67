"""Statements of a programme by API: the sums as JSON, the whole as CSV or PDF."""

from datetime import date

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated_query
from apps.core.documents import pdf_response
from apps.core.exports import stream_csv
from apps.core.renderers import CsvRenderer, PdfRenderer
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.api.number_serializers import (
    MemberStatementOut,
    MonthParameter,
    ProgrammeStatementOut,
)
from apps.partners.selectors import member_statements, statements
from apps.partners.selectors.members import member_of

FILES = {(200, "text/csv"): OpenApiTypes.STR, (200, "application/pdf"): OpenApiTypes.BINARY}


class StatementView(ProgrammeAPIView):
    """A month as JSON, CSV or PDF."""

    permissions = {"GET": "partners.view"}
    renderer_classes = [JSONRenderer, CsvRenderer, PdfRenderer]

    def month(self, request: Request) -> date:
        """Return the first day of the month that is asked for."""
        first: date = validated_query(MonthParameter, request)["month"]
        return first

    def wanted(self, request: Request) -> str:
        """Return in which form it is asked for."""
        return getattr(request.accepted_renderer, "format", "json")


class Statements(StatementView):
    """The programme's month."""

    @extend_schema(
        operation_id="partner_statements_retrieve",
        tags=["partner"],
        parameters=[MonthParameter],
        responses={(200, "application/json"): ProgrammeStatementOut, **FILES},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """
        Return the pool's month and that of all members; with a line for each in CSV and PDF.

        :raises NotAPartner: if the organization has no programme.
        :raises ProgrammeStatementTooLong: if it has more members than a PDF holds.
        """
        month, wanted = self.month(request), self.wanted(request)
        if wanted == "pdf":
            facts = statements.document_facts(self.partner, month)
            return pdf_response(
                filename=f"{facts['statement'].name}.pdf",
                template="partners/statement_document.html",
                facts=facts,
            )
        if wanted == "csv":
            statement = statements.programme_statement(self.partner, month)
            return stream_csv(
                filename=f"{statement.name}.csv",
                columns=statements.COLUMNS,
                rows=statement.rows(),
            )
        statement = statements.programme_statement(self.partner, month, limit=0)
        return Response(ProgrammeStatementOut(statement).data)


class MemberStatement(StatementView):
    """A member's month."""

    @extend_schema(
        operation_id="partner_member_statements_retrieve",
        tags=["partner"],
        parameters=[MonthParameter],
        responses={(200, "application/json"): MemberStatementOut, **FILES},
    )
    def get(self, request: Request, member_id: str) -> HttpResponseBase:
        """
        Return a member's month: sums, and single movements only where the terms show them.

        :raises NotAPartner: if the organization has no programme.
        :raises NotFound: if the programme has no such member.
        """
        member = member_of(self.partner, member_id)
        statement = member_statements.member_statement(self.partner, member, self.month(request))
        if self.wanted(request) == "csv":
            return stream_csv(
                filename=f"{statement.name}.csv",
                columns=member_statements.COLUMNS,
                rows=statement.rows(),
            )
        facts = member_statements.document_facts(statement)
        if self.wanted(request) == "pdf":
            return pdf_response(
                filename=f"{statement.name}.pdf",
                template="partners/member_statement_document.html",
                facts=facts,
            )
        return Response(MemberStatementOut(facts).data)
