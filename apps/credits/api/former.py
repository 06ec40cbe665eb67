"""The API of what moved in a former system: to be read, and nothing depends on it."""

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, paginated
from apps.core.exports import stream_csv
from apps.core.renderers import CsvRenderer
from apps.credits.models import FormerMovement
from apps.credits.selectors import former
from apps.rbac.api.base import TenantAPIView


class FormerMovementOut(serializers.ModelSerializer[FormerMovement]):
    """One movement, as the former system had it."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="former_movement", read_only=True)
    account = serializers.CharField(source="account.former_id")

    class Meta:
        model = FormerMovement
        fields = [
            "id",
            "object",
            "account",
            "former_id",
            "occurred_at",
            "kind",
            "amount",
            "balance_after",
            "description",
            "stripe_payment_intent_id",
        ]


class FormerMovements(TenantAPIView):
    """What moved before."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="former_movements_list",
        tags=["credits"],
        parameters=[LimitParameter],
        responses=FormerMovementOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the movements of the former system, newest first."""
        rows = former.former_movements(self.organization)
        return paginated(request, rows, FormerMovementOut, key=("occurred_at", "id"))


class FormerMovementsCsv(TenantAPIView):
    """What moved before, as a file."""

    permissions = {"GET": "credits.view"}
    renderer_classes = [JSONRenderer, CsvRenderer]

    @extend_schema(
        operation_id="former_movements_export",
        tags=["credits"],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return all movements of the former system as CSV, newest first."""
        return stream_csv(
            filename=f"{self.organization.slug}-former-transactions.csv",
            columns=former.COLUMNS,
            rows=former.movement_rows(former.former_movements(self.organization)),
        )
