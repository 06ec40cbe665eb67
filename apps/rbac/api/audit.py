"""The API of the audit log."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, check_parameters, paginated, validated, validated_query
from apps.core.exports import stream_csv
from apps.core.renderers import CsvRenderer
from apps.rbac.api.base import TenantAPIView
from apps.tenants.models import AuditLog
from apps.tenants.selectors import audit_log_of
from apps.tenants.selectors.audit import AUDIT_COLUMNS, AuditFilters, audit_rows, matching_audit


class AuditParameters(serializers.Serializer[Any]):
    """Which audit rows are asked for. Filters add up."""

    actor = serializers.CharField(
        required=False, max_length=100, help_text="`user:usr_…`, `key:key_…` or `system:…`."
    )
    action = serializers.CharField(
        required=False, max_length=100, help_text="`api_key.revoke`, or `api_key` for all of it."
    )
    object = serializers.CharField(required=False, max_length=100, help_text="Its id.")
    result = serializers.ChoiceField(choices=AuditLog.Result.choices, required=False)
    created_at__gte = serializers.DateTimeField(required=False)
    created_at__lt = serializers.DateTimeField(required=False)
    q = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Part of action, reason, before or after; or a whole request id or IP address.",
    )


def filters_of(asked: dict[str, Any]) -> AuditFilters:
    """Return the filters that the parameters stand for."""
    return AuditFilters(
        actor=asked.get("actor", ""),
        action=asked.get("action", ""),
        object_id=asked.get("object", ""),
        result=asked.get("result", ""),
        created_from=asked.get("created_at__gte"),
        created_before=asked.get("created_at__lt"),
        text=asked.get("q", ""),
    )


class AuditOut(serializers.Serializer[Any]):
    """One thing that somebody did, or was denied."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="audit_row")
    sequence = serializers.SerializerMethodField(help_text="Its place in the chain.")
    created_at = serializers.DateTimeField()
    actor = serializers.CharField()
    acting_as = serializers.CharField(help_text="In whose place, if in another's.")
    action = serializers.CharField()
    object_id = serializers.CharField()
    result = serializers.ChoiceField(choices=AuditLog.Result.choices)
    reason = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    request_id = serializers.CharField()
    ip_address = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField()
    entry_hash = serializers.SerializerMethodField(help_text="SHA-256 of row and chain, hex.")

    def get_sequence(self, row: AuditLog) -> int | None:
        """Return the place; None until the row's own transaction is over."""
        return row.seal.sequence if hasattr(row, "seal") else None

    def get_entry_hash(self, row: AuditLog) -> str | None:
        """Return the hash; None until the row's own transaction is over."""
        return bytes(row.seal.entry_hash).hex() if hasattr(row, "seal") else None


class AuditRows(TenantAPIView):
    """The organization's audit log."""

    permissions = {"GET": "audit.view"}

    @extend_schema(
        operation_id="audit_list",
        tags=["audit"],
        parameters=[AuditParameters, LimitParameter],
        responses=AuditOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return who did what and was denied what, newest first."""
        parameters = frozenset(AuditParameters().fields)
        check_parameters(request, parameters | {"limit", "cursor"})
        filters = filters_of(validated(AuditParameters, request.query_params))
        rows = matching_audit(audit_log_of(self.organization), filters)
        return paginated(request, rows.select_related("seal"), AuditOut, parameters=parameters)


class AuditRow(TenantAPIView):
    """One row of the audit log."""

    permissions = {"GET": "audit.view"}

    @extend_schema(operation_id="audit_retrieve", tags=["audit"], responses=AuditOut)
    def get(self, request: Request, audit_id: str) -> Response:
        """Return one row."""
        rows = audit_log_of(self.organization).select_related("seal")
        return Response(AuditOut(self.get_object(rows, audit_id)).data)


class AuditCsv(TenantAPIView):
    """The audit log as a file."""

    permissions = {"GET": "audit.view"}
    renderer_classes = [JSONRenderer, CsvRenderer]

    @extend_schema(
        operation_id="audit_export",
        tags=["audit"],
        parameters=[AuditParameters],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return all rows that fit the filters as CSV, newest first."""
        filters = filters_of(validated_query(AuditParameters, request))
        return stream_csv(
            filename=f"{self.organization.slug}-audit.csv",
            columns=AUDIT_COLUMNS,
            rows=audit_rows(matching_audit(audit_log_of(self.organization), filters)),
        )
