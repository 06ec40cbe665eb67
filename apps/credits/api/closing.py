"""The API of closing an organization: what it would leave behind, and the deed."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated
from apps.credits.selectors.organizations import leftover_of
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.serializers import OrganizationOut
from apps.tenants.selectors import UNDO_DAYS
from apps.tenants.services.standing import close_organization, what_keeps_open


class ClosingIn(serializers.Serializer[Any]):
    """What has to be typed, and why."""

    confirmation = serializers.CharField(max_length=100, help_text="The organization's slug.")
    reason = serializers.CharField(max_length=1000, required=False, default="")


class LeftoverOut(serializers.Serializer[Any]):
    """What closing would leave in the organization's wallets, in credits."""

    object = serializers.CharField(default="closing")
    wallets = serializers.IntegerField()
    credits = serializers.IntegerField()
    held = serializers.IntegerField()
    debt = serializers.IntegerField()
    may_close = serializers.BooleanField()
    reason = serializers.CharField(
        allow_null=True, help_text="The code of the refusal that closing would meet now."
    )
    explanation = serializers.CharField(help_text="The reason in a sentence; empty without one.")
    undo_days = serializers.IntegerField(default=UNDO_DAYS)


class Closing(TenantAPIView):
    """The end of an organization. For its owners, signed in."""

    permissions = {"GET": "organization.close", "POST": "organization.close"}
    confirmed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="organization_closing_retrieve", tags=["organization"], responses=LeftoverOut
    )
    def get(self, request: Request) -> Response:
        """Return what closing would leave behind. Changes nothing."""
        refusal = what_keeps_open(organization=self.organization)
        stands = {
            "may_close": refusal is None,
            "reason": refusal.code if refusal else None,
            "explanation": str(refusal) if refusal else "",
        }
        return Response(LeftoverOut({**asdict(leftover_of(self.organization)), **stands}).data)

    @extend_schema(
        operation_id="organization_close",
        tags=["organization"],
        request=ClosingIn,
        responses=OrganizationOut,
    )
    def post(self, request: Request) -> Response:
        """Close the organization: keys and pages stop; its owners can undo it for 30 days."""
        fields = validated(ClosingIn, request.data)
        closed = close_organization(organization=self.organization, **fields)
        return Response(OrganizationOut(closed).data)
