"""The API of when staff looked at an organization in a member's place."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, paginated
from apps.rbac.api.base import TenantAPIView
from apps.rbac.selectors import impersonations_in


class ImpersonationOut(serializers.Serializer[Any]):
    """One look by staff in a member's place. It only reads."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="impersonation")
    user = serializers.CharField(source="user.public_id", help_text="In whose place: `usr_…`.")
    reason = serializers.CharField()
    ticket = serializers.CharField()
    started_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Its end at the latest: an hour.")
    ended_at = serializers.DateTimeField(allow_null=True)
    end_cause = serializers.CharField(help_text="Empty while it runs.")


class Impersonations(TenantAPIView):
    """Looks by staff at the organization."""

    permissions = {"GET": "audit.view"}

    @extend_schema(
        operation_id="impersonations_list",
        tags=["audit"],
        parameters=[LimitParameter],
        responses=ImpersonationOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return when staff looked at it, in whose place and why, the latest first."""
        return paginated(
            request,
            impersonations_in(self.organization),
            ImpersonationOut,
            key=("started_at", "id"),
        )
