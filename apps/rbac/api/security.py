"""The API of how members must sign in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.tenants.models import Organization
from apps.tenants.services.security import require_second_factor


class SecurityIn(serializers.Serializer[Any]):
    """How members must sign in."""

    second_factor_required = serializers.BooleanField()


class SecurityOut(serializers.Serializer[Any]):
    """How members must sign in, and how many could not."""

    object = serializers.CharField(default="organization_security")
    second_factor_required = serializers.BooleanField()
    members_without_second_factor = serializers.IntegerField()


class Security(TenantAPIView):
    """How members of the organization must sign in."""

    permissions = {"GET": "organization.view", "PUT": "organization.secure"}
    confirmed_methods = frozenset({"PUT"})

    @extend_schema(
        operation_id="organization_security_retrieve", tags=["organization"], responses=SecurityOut
    )
    def get(self, request: Request) -> Response:
        """Return whether a second factor is required, and how many members have none."""
        return self.answer(self.organization)

    @extend_schema(
        operation_id="organization_security_update",
        tags=["organization"],
        request=SecurityIn,
        responses=SecurityOut,
    )
    def put(self, request: Request) -> Response:
        """
        Require a second factor of members, or stop doing so. For signed-in people only.

        API keys go on either way.
        """
        fields = validated(SecurityIn, request.data)
        return self.answer(
            require_second_factor(
                organization=self.organization,
                is_required=fields["second_factor_required"],
                user=self.user,
            )
        )

    def answer(self, organization: Organization) -> Response:
        """Return the present state."""
        state = {
            "second_factor_required": organization.requires_second_factor,
            "members_without_second_factor": selectors.members_without_second_factor(
                organization
            ).count(),
        }
        return Response(SecurityOut(state).data)
