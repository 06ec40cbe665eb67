"""The API of roles and of what they allow."""

import re
from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.rbac.errors import VersionRequired
from apps.rbac.models import Role
from apps.rbac.permissions import PERMISSIONS
from apps.rbac.services.custom_roles import RoleDraft, change_roles, create_role, delete_role

ETAG = re.compile(r'"(\d{1,9})"')
IF_MATCH = OpenApiParameter(
    name="If-Match",
    type=OpenApiTypes.STR,
    location=OpenApiParameter.HEADER,
    required=True,
    description="The ETag that came with the role; a role that changed since is not changed: 412.",
)


class PermissionOut(serializers.Serializer[Any]):
    """Something that can be done."""

    object = serializers.CharField(default="permission", read_only=True)
    code = serializers.CharField()
    description = serializers.CharField()
    resource = serializers.CharField()
    action = serializers.CharField()
    scope = serializers.CharField(help_text="What a key needs for it; empty: no key may.")


class RoleOut(serializers.Serializer[Any]):
    """A role and all that it allows. `version` is also its ETag."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="role", read_only=True)
    name = serializers.CharField()
    description = serializers.CharField()
    is_system_role = serializers.BooleanField()
    version = serializers.IntegerField()
    permissions = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_permissions(self, role: Role) -> list[str]:
        """Return the codes, in the order of the alphabet."""
        return sorted(self.context["codes"][role.pk])


class RoleIn(serializers.Serializer[Any]):
    """A new role."""

    name = serializers.CharField(max_length=50)
    description = serializers.CharField(max_length=500, default="", allow_blank=True)
    permissions = serializers.ListField(child=serializers.CharField(), default=list)


class RoleChangeIn(serializers.Serializer[Any]):
    """What changes of a role; what is not sent stays."""

    name = serializers.CharField(max_length=50, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    permissions = serializers.ListField(child=serializers.CharField(), required=False)


class Permissions(TenantAPIView):
    """Everything that can be done."""

    is_paged = False
    permissions = {"GET": "roles.view"}

    @extend_schema(
        operation_id="permissions_list", tags=["roles"], responses=PermissionOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return what roles of the organization can allow, each with a description."""
        codes = [one for one in PERMISSIONS if not one.is_for_staff]
        found = PermissionOut(codes, many=True).data
        return Response({"object": "list", "data": found, "has_more": False})


class Roles(TenantAPIView):
    """The roles that can be given in the organization."""

    is_paged = False
    permissions = {"GET": "roles.view", "POST": "roles.manage"}

    @extend_schema(operation_id="roles_list", tags=["roles"], responses=RoleOut(many=True))
    def get(self, request: Request) -> Response:
        """Return system roles, then the organization's own."""
        roles = list(selectors.roles_in(self.organization))
        return Response({"object": "list", "data": shown(roles), "has_more": False})

    @extend_schema(
        operation_id="roles_create", tags=["roles"], request=RoleIn, responses={201: RoleOut}
    )
    def post(self, request: Request) -> Response:
        """Make a role that allows nothing but what the caller may do. For signed-in people only."""
        fields = validated(RoleIn, request.data)
        role = create_role(
            by=self.user,
            organization=self.organization,
            name=fields["name"],
            description=fields["description"],
            codes=frozenset(fields["permissions"]),
        )
        role.refresh_from_db()
        location = reverse("api:rbac:role", args=[role.public_id])
        return answer(role, status=201, headers={"Location": location})


class RoleView(TenantAPIView):
    """One role."""

    permissions = {"GET": "roles.view", "PATCH": "roles.manage", "DELETE": "roles.manage"}

    @extend_schema(operation_id="roles_retrieve", tags=["roles"], responses=RoleOut)
    def get(self, request: Request, role_id: str) -> Response:
        """Return the role, with its version as ETag."""
        return answer(self.role(role_id))

    @extend_schema(
        operation_id="roles_update",
        tags=["roles"],
        parameters=[IF_MATCH],
        request=RoleChangeIn,
        responses=RoleOut,
    )
    def patch(self, request: Request, role_id: str) -> Response:
        """Change a role; who has it may do so from his next request on."""
        role, fields = self.role(role_id), validated(RoleChangeIn, request.data)
        codes = fields.get("permissions")
        draft = RoleDraft(
            role.pk,
            version_of(request),
            name=fields.get("name"),
            description=fields.get("description"),
            codes=None if codes is None else frozenset(codes),
        )
        change_roles(by=self.user, organization=self.organization, drafts=[draft])
        return answer(self.role(role_id))

    @extend_schema(
        operation_id="roles_delete",
        tags=["roles"],
        parameters=[IF_MATCH],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, role_id: str) -> Response:
        """Delete a role that nobody has."""
        delete_role(by=self.user, role=self.role(role_id), version=version_of(request))
        return Response(status=204)

    def role(self, role_id: str) -> Role:
        """
        Return the role with this id.

        :raises NotFound: if it cannot be given in this organization.
        """
        return selectors.role_in(self.organization, role_id)


def shown(roles: list[Role]) -> Any:
    """Return the roles as the API shows them; one query for what they allow."""
    return RoleOut(roles, many=True, context={"codes": selectors.codes_of(roles)}).data


def answer(role: Role, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with one role and its ETag."""
    headers = {"ETag": f'"{role.version}"', **(headers or {})}
    return Response(shown([role])[0], status=status, headers=headers)


def version_of(request: Request) -> int:
    """
    Return the version that the caller has seen.

    :raises VersionRequired: if he does not say; `*` says nothing.
    """
    found = ETAG.fullmatch(request.headers.get("If-Match", "").strip())
    if found is None:
        raise VersionRequired(example="3")
    return int(found[1])
