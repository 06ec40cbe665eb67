"""The API of a programme's groups and cost centres."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, paginated, validated
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.api.serializers import GroupIn, MemberGroupOut
from apps.partners.selectors.members import group_of, groups_of
from apps.partners.services import groups


class Groups(ProgrammeAPIView):
    """The groups of the programme."""

    permissions = {"GET": "partners.view", "POST": "partners.manage"}

    @extend_schema(
        operation_id="partner_groups_list",
        tags=["partner"],
        parameters=[LimitParameter],
        responses=MemberGroupOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the groups, newest first, with how many members each has."""
        return paginated(request, groups_of(self.partner), MemberGroupOut)

    @extend_schema(
        operation_id="partner_groups_create",
        tags=["partner"],
        request=GroupIn,
        responses={201: MemberGroupOut},
    )
    def post(self, request: Request) -> Response:
        """Make a group."""
        made = groups.create_group(partner=self.partner, **validated(GroupIn, request.data))
        group = group_of(self.partner, made.public_id)
        location = reverse("api:partners:group", args=[group.public_id])
        return Response(MemberGroupOut(group).data, status=201, headers={"Location": location})


class Group(ProgrammeAPIView):
    """One group."""

    permissions = {"GET": "partners.view", "PUT": "partners.manage", "DELETE": "partners.manage"}

    @extend_schema(
        operation_id="partner_groups_retrieve", tags=["partner"], responses=MemberGroupOut
    )
    def get(self, request: Request, group_id: str) -> Response:
        """Return one group."""
        return Response(MemberGroupOut(group_of(self.partner, group_id)).data)

    @extend_schema(
        operation_id="partner_groups_update",
        tags=["partner"],
        request=GroupIn,
        responses=MemberGroupOut,
    )
    def put(self, request: Request, group_id: str) -> Response:
        """Call it, and its cost centre, something else."""
        group = group_of(self.partner, group_id)
        groups.update_group(group=group, **validated(GroupIn, request.data))
        return Response(MemberGroupOut(group_of(self.partner, group_id)).data)

    @extend_schema(operation_id="partner_groups_remove", tags=["partner"], responses={204: None})
    def delete(self, request: Request, group_id: str) -> Response:
        """Dissolve it; its members stay in the programme."""
        groups.remove_group(group=group_of(self.partner, group_id))
        return Response(status=204)
