"""The API of members."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, check_parameters, paginated, validated
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.people_serializers import MemberFilter, MemberIn, MemberOut
from apps.rbac.errors import PersonRequired
from apps.rbac.services import members

FILTERS = frozenset(MemberFilter().fields)


class Members(TenantAPIView):
    """The people of the organization."""

    permissions = {"GET": "members.view"}

    @extend_schema(
        operation_id="members_list",
        tags=["members"],
        parameters=[MemberFilter, LimitParameter],
        responses=MemberOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the members, newest first, with their roles and when they were last active."""
        check_parameters(request, FILTERS | {"limit", "cursor"})
        chosen = validated(MemberFilter, request.query_params)
        rows = selectors.memberships_of(
            self.organization,
            search=chosen.get("search", ""),
            role=chosen.get("role", ""),
            is_active=chosen["active"],
        )
        return paginated(request, rows, MemberOut, key=("joined_at", "id"), parameters=FILTERS)


class Member(TenantAPIView):
    """One member."""

    permissions = {
        "GET": "members.view",
        "PATCH": "members.manage",
        "DELETE": "members.manage",
    }

    @extend_schema(operation_id="members_retrieve", tags=["members"], responses=MemberOut)
    def get(self, request: Request, user_id: str) -> Response:
        """Return one member."""
        return Response(MemberOut(selectors.membership_of(self.organization, user_id)).data)

    @extend_schema(
        operation_id="members_update", tags=["members"], request=MemberIn, responses=MemberOut
    )
    def patch(self, request: Request, user_id: str) -> Response:
        """Give the member exactly this role, or these, instead of those he has."""
        member = selectors.membership_of(self.organization, user_id)
        fields = validated(MemberIn, request.data)
        members.set_roles(
            organization=self.organization,
            user=member,
            roles=[selectors.find_role(self.organization, text) for text in fields["roles"]],
            by=self.user,
            key=self.key,
        )
        return Response(MemberOut(selectors.membership_of(self.organization, user_id)).data)

    @extend_schema(operation_id="members_remove", tags=["members"], responses={204: None})
    def delete(self, request: Request, user_id: str) -> Response:
        """Remove the member: his roles and API keys end at once."""
        member = selectors.membership_of(self.organization, user_id)
        members.remove_member(
            organization=self.organization, user=member, by=self.user, key=self.key
        )
        return Response(status=204)


class Leave(TenantAPIView):
    """The end of one's own membership."""

    permissions = {"POST": "organization.view"}

    @extend_schema(
        operation_id="members_leave", tags=["members"], request=None, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        """Leave the organization. For signed-in people only."""
        if self.key is not None:
            raise PersonRequired(permission="organization.view")
        members.leave(organization=self.organization, user=self.user)
        return Response(status=204)
