"""Statements by API: the sums as JSON, the whole as CSV (streamed) or PDF."""

from typing import Any
from urllib.parse import urlencode

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated
from apps.core.days import is_sensible
from apps.core.documents import pdf_response
from apps.core.exports import stream_csv
from apps.core.periods import Period
from apps.core.renderers import CsvRenderer, PdfRenderer
from apps.credits import selectors
from apps.credits.models import Wallet
from apps.credits.selectors import statements
from apps.credits.selectors.statements import Statement
from apps.rbac.api.base import TenantAPIView


class StatementIn(serializers.Serializer[Any]):
    """Which wallet, and which days: a month, or from one day to another."""

    wallet = serializers.CharField(required=False, help_text="`wal_…`; else the main wallet.")
    month = serializers.DateField(
        required=False, input_formats=["%Y-%m"], format="%Y-%m", help_text="`2026-10`, UTC."
    )
    from_date = serializers.DateField(required=False, help_text="The first day, UTC.")
    to_date = serializers.DateField(required=False, help_text="The last day, which is in it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse none, half of one, or two periods, and one that ends before it begins."""
        days = {"from_date", "to_date"} & attrs.keys()
        if ("month" in attrs) == bool(days) or len(days) == 1:
            raise ValidationError("Give month, or both from_date and to_date.", "period_required")
        if days and attrs["to_date"] < attrs["from_date"]:
            raise ValidationError({"to_date": "The period ends before it begins."}, "wrong_order")
        for name in {"month", *days} & attrs.keys():
            if not is_sensible(attrs[name]):
                raise ValidationError({name: "No credits are kept of such a year."}, "wrong_year")
        return attrs


class SumOut(serializers.Serializer[Any]):
    """What moved in one way, in credits."""

    type = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.IntegerField()


class MarkOut(serializers.Serializer[Any]):
    """Where the wallet's chain stood."""

    sequence = serializers.IntegerField()
    balance = serializers.IntegerField()
    entry_hash = serializers.CharField()


class StatementOut(serializers.Serializer[Any]):
    """A period of a wallet: opening + sums = closing."""

    object = serializers.CharField(default="statement", read_only=True)
    wallet = serializers.CharField(source="wallet.public_id")
    starts_at = serializers.DateTimeField(source="period.starts_at")
    ends_at = serializers.DateTimeField(source="period.ends_at", help_text="No longer in it.")
    opening = MarkOut()
    sums = SumOut(many=True)
    closing = MarkOut()
    csv_url = serializers.URLField()
    pdf_url = serializers.URLField()


class Statements(TenantAPIView):
    """The statement of a wallet for a period."""

    permissions = {"GET": "credits.view"}
    renderer_classes = [JSONRenderer, CsvRenderer, PdfRenderer]

    @extend_schema(
        operation_id="statements_retrieve",
        tags=["credits"],
        parameters=[StatementIn],
        responses={
            (200, "application/json"): StatementOut,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/pdf"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """
        Return a statement: its sums, or all of it with `format=csv` or `format=pdf`.

        The CSV has every cell that the hashes cover: a program of forty lines, in the guide,
        verifies it without us.

        :raises StatementTooLong: if it has more movements than a PDF holds.
        """
        statement = self.statement(request)
        wanted = getattr(request.accepted_renderer, "format", "json")
        if wanted == "csv":
            return stream_csv(
                filename=f"{statement.name}.csv",
                columns=statements.COLUMNS,
                rows=statement.lines(),
            )
        if wanted == "pdf":
            return pdf_response(
                filename=f"{statement.name}.pdf",
                template="credits/statement_document.html",
                facts=statements.document_facts(statement),
            )
        return Response(StatementOut({**vars(statement), **links(request, statement)}).data)

    def statement(self, request: Request) -> Statement:
        """
        Return the statement that is asked for.

        :raises NotFound: if the wallet is none of this organization's.
        :raises ValidationError: if a parameter is unknown, or the period is none.
        """
        known = {*StatementIn().fields, "format"}
        if unknown := sorted(request.query_params.keys() - known):
            raise ValidationError(
                dict.fromkeys(unknown, "This parameter is not known here."), "unknown_parameter"
            )
        asked = validated(StatementIn, request.query_params)
        if "wallet" in asked:
            wallet = statements.wallet_of(self.organization, Wallet.read_id(asked["wallet"]))
        else:
            wallet = selectors.main_wallet(self.organization)
        if "month" in asked:
            return statements.statement_of(wallet, Period.of_month(asked["month"]))
        period = Period.of_days(asked["from_date"], asked["to_date"])
        return statements.statement_of(wallet, period)


def links(request: Request, statement: Statement) -> dict[str, str]:
    """Return where the same statement is as CSV and as PDF."""
    here = request.build_absolute_uri(request.path)
    query = {
        "wallet": statement.wallet.public_id,
        "from_date": statement.period.first_day.isoformat(),
        "to_date": statement.period.last_day.isoformat(),
    }
    return {
        f"{kind}_url": f"{here}?{urlencode({**query, 'format': kind})}" for kind in ("csv", "pdf")
    }
