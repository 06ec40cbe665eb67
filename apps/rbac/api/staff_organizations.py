"""The API of organizations for staff: see all, shut one out, let it in again."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, validated
from apps.core.errors import NotFound
from apps.rbac.api.serializers import OrganizationOut
from apps.rbac.api.staff import StaffAPIView
from apps.tenants.models import Organization
from apps.tenants.selectors import all_organizations
from apps.tenants.services import standing
from apps.tenants.services.organizations import set_member_limit


class ReasonIn(serializers.Serializer[Any]):
    """Why; it is kept in the audit log."""

    reason = serializers.CharField(max_length=1000)


class LimitIn(serializers.Serializer[Any]):
    """How many members it may have."""

    max_users = serializers.IntegerField(min_value=1, max_value=1_000_000, allow_null=True)


class StaffOrganizations(StaffAPIView):
    """Every organization."""

    permissions = {"GET": "organizations.manage"}

    @extend_schema(
        operation_id="staff_organizations_list",
        tags=["staff"],
        responses=OrganizationOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return every organization, newest first, whatever its status."""
        return paginated(request, all_organizations(), OrganizationOut)


class StaffOrganization(StaffAPIView):
    """One organization."""

    permissions = {"GET": "organizations.manage", "PATCH": "organizations.manage"}

    @extend_schema(
        operation_id="staff_organizations_retrieve", tags=["staff"], responses=OrganizationOut
    )
    def get(self, request: Request, organization_id: str) -> Response:
        """Return one organization."""
        return Response(OrganizationOut(find(organization_id)).data)

    @extend_schema(
        operation_id="staff_organizations_update",
        tags=["staff"],
        request=LimitIn,
        responses=OrganizationOut,
    )
    def patch(self, request: Request, organization_id: str) -> Response:
        """Say how many members it may have, null for no limit; those beyond it stay."""
        max_users = validated(LimitIn, request.data)["max_users"]
        changed = set_member_limit(organization=find(organization_id), max_users=max_users)
        return Response(OrganizationOut(changed).data)


class Deactivation(StaffAPIView):
    """An organization is shut out."""

    permissions = {"POST": "organizations.manage"}

    @extend_schema(
        operation_id="staff_organizations_deactivate",
        tags=["staff"],
        request=ReasonIn,
        responses=OrganizationOut,
    )
    def post(self, request: Request, organization_id: str) -> Response:
        """Shut an organization out: no page, no key. Its credits stay as they are."""
        reason = validated(ReasonIn, request.data)["reason"]
        changed = standing.deactivate_organization(
            organization=find(organization_id), reason=reason
        )
        return Response(OrganizationOut(changed).data)


class Activation(StaffAPIView):
    """An organization is let in again."""

    permissions = {"POST": "organizations.manage"}

    @extend_schema(
        operation_id="staff_organizations_activate",
        tags=["staff"],
        request=ReasonIn,
        responses=OrganizationOut,
    )
    def post(self, request: Request, organization_id: str) -> Response:
        """Let an organization in again that staff had shut out."""
        reason = validated(ReasonIn, request.data)["reason"]
        changed = standing.activate_organization(organization=find(organization_id), reason=reason)
        return Response(OrganizationOut(changed).data)


class StaffReopening(StaffAPIView):
    """The undoing of a closing, at any time."""

    permissions = {"POST": "organizations.manage"}

    @extend_schema(
        operation_id="staff_organizations_reopen",
        tags=["staff"],
        request=ReasonIn,
        responses=OrganizationOut,
    )
    def post(self, request: Request, organization_id: str) -> Response:
        """Open an organization again that its owner has closed, however long ago."""
        reason = validated(ReasonIn, request.data)["reason"]
        changed = standing.reopen_organization(
            organization=find(organization_id), reason=reason, at_any_time=True
        )
        return Response(OrganizationOut(changed).data)


def find(public_id: str) -> Organization:
    """
    Return the organization with this id.

    :raises NotFound: if there is none.
    """
    row_id = Organization.read_id(public_id)
    found = all_organizations().filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return found
