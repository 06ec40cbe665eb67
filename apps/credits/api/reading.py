"""The API of reading: usage, explanations, the forecast, and whole files of transactions."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from apps.core.api import validated_query
from apps.core.exports import stream_csv
from apps.core.renderers import CsvRenderer
from apps.credits import selectors
from apps.credits.api.reading_serializers import (
    ExplainParameters,
    ExplanationOut,
    ForecastOut,
    TransactionParameters,
    UsageOut,
    UsageParameters,
    filters_of,
)
from apps.credits.models import CreditTransaction
from apps.credits.selectors import Explanation, Usage
from apps.rbac.api.base import TenantAPIView


class TransactionsCsv(TenantAPIView):
    """Every movement of credits as a file."""

    permissions = {"GET": "credits.view"}
    renderer_classes = [JSONRenderer, CsvRenderer]

    @extend_schema(
        operation_id="transactions_export",
        tags=["credits"],
        parameters=[TransactionParameters],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return all movements that fit the filters as CSV, newest first."""
        filters = filters_of(validated_query(TransactionParameters, request))
        wallet = selectors.main_wallet(self.organization)
        entries = selectors.matching(selectors.transactions_of(wallet), filters)
        return stream_csv(
            filename=f"{self.organization.slug}-transactions.csv",
            columns=selectors.TRANSACTION_COLUMNS,
            rows=selectors.transaction_rows(entries),
        )


class UsageReport(TenantAPIView):
    """What was used, by day and group."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="usage_retrieve",
        tags=["credits"],
        parameters=[UsageParameters],
        responses=UsageOut,
    )
    def get(self, request: Request) -> Response:
        """Return the usage of a period by day and group, with that of the period before."""
        asked = validated_query(UsageParameters, request)
        usage = selectors.usage_of(
            selectors.main_wallet(self.organization),
            asked["chosen"],
            group_by=asked["group_by"],
            actor=asked.get("actor"),
        )
        return Response(UsageOut(with_days(usage)).data)


class Explain(TenantAPIView):
    """Why a number is what it is."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="explanation_retrieve",
        tags=["credits"],
        parameters=[ExplainParameters],
        responses=ExplanationOut,
    )
    def get(self, request: Request) -> Response:
        """Return the lots, movements and causes that add up to a number."""
        asked = validated_query(ExplainParameters, request)
        return Response(ExplanationOut(self.explain(asked)).data)

    def explain(self, asked: dict[str, Any]) -> Explanation:
        """
        Return the explanation of the number that was asked about.

        :raises NotFound: if it is of a transaction that the organization does not have.
        """
        wallet = selectors.main_wallet(self.organization)
        if asked["of"] == "usage":
            return selectors.explain_usage(wallet, asked.get("date") or timezone.localdate())
        if asked["of"] == "transaction":
            entry_id = CreditTransaction.read_id(asked["transaction"])
            return selectors.explain_transaction(selectors.operation_of(wallet, entry_id))
        return selectors.explain_balance(wallet, as_of=asked.get("as_of"))


class Forecast(TenantAPIView):
    """When credits run out."""

    permissions = {"GET": "credits.view"}

    @extend_schema(operation_id="forecast_retrieve", tags=["credits"], responses=ForecastOut)
    def get(self, request: Request) -> Response:
        """Return when credits run out at the present rate, and what will expire unused."""
        validated_query(Serializer, request)
        forecast = selectors.forecast_of(selectors.main_wallet(self.organization))
        return Response(ForecastOut(forecast).data)


def with_days(usage: Usage) -> dict[str, Any]:
    """Return a usage with its days written out, each with the groups that were used on it."""
    return {
        "period": usage.period,
        "group_by": usage.group_by,
        "total": usage.total,
        "before": usage.before,
        "groups": usage.groups,
        "days": [
            {
                "date": day,
                "use": usage.on(day),
                "groups": [
                    {"key": group.key, "credits": group.by_day[day].credits}
                    for group in usage.groups
                    if day in group.by_day
                ],
            }
            for day in usage.period
        ],
    }
