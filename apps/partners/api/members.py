"""The API of a programme's members."""

from dataclasses import replace
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, check_parameters, paginated, validated, validated_query
from apps.core.exports import stream_csv
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.api.serializers import (
    MemberFilter,
    MembersOut,
    NewMembersIn,
    ProgrammeMemberIn,
    ProgrammeMemberOut,
    RemindedOut,
)
from apps.partners.models import MemberGroup
from apps.partners.selectors.members import COLUMNS, group_of, member_of, member_rows, members_of
from apps.partners.services import invitations, reminders
from apps.partners.services.members import NewMember
from apps.partners.services.standing import Cause, known_of, remove_member, update_member

FILTERS = frozenset(MemberFilter().fields)


class MembersView(ProgrammeAPIView):
    """What views of several members share."""

    def group(self, public_id: str | None) -> MemberGroup | None:
        """Return the group that is meant, if one is."""
        return group_of(self.partner, public_id) if public_id else None

    def rows(self, chosen: dict[str, Any]) -> Any:
        """Return the members that were asked for."""
        return members_of(
            self.partner,
            status=chosen.get("status", ""),
            group=self.group(chosen.get("group")),
            search=chosen.get("search", ""),
        )


class Members(MembersView):
    """Who belongs to the programme."""

    permissions = {"GET": "partners.view", "POST": "partners.manage"}

    @extend_schema(
        operation_id="partner_members_list",
        tags=["partner"],
        parameters=[MemberFilter, LimitParameter],
        responses=ProgrammeMemberOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the members, newest first, those who left too."""
        check_parameters(request, FILTERS | {"limit", "cursor"})
        chosen = validated(MemberFilter, request.query_params)
        return paginated(request, self.rows(chosen), ProgrammeMemberOut, parameters=FILTERS)

    @extend_schema(
        operation_id="partner_members_invite",
        tags=["partner"],
        request=NewMembersIn,
        responses=MembersOut,
    )
    def post(self, request: Request) -> Response:
        """
        Invite these people, all or none; the links go to their mailboxes and nowhere else.

        Who is in the programme stays as he is, and who left is asked back: it may be repeated.
        """
        fields = validated(NewMembersIn, request.data)["members"]
        asked = dict.fromkeys(one["group"] for one in fields)
        groups = {public_id: self.group(public_id) for public_id in asked}
        people = [NewMember(**{**one, "group": groups[one["group"]]}) for one in fields]
        found = invitations.invite(partner=self.partner, people=people, by=self.user)
        return Response(MembersOut({"members": found}).data)


class MembersCsv(MembersView):
    """The members as a file."""

    permissions = {"GET": "partners.view"}

    @extend_schema(
        operation_id="partner_members_export",
        tags=["partner"],
        parameters=[MemberFilter],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Return the members, newest first, as CSV."""
        chosen = validated_query(MemberFilter, request)
        return stream_csv(
            filename="programme-members.csv",
            columns=COLUMNS,
            rows=member_rows(self.rows(chosen)),
        )


class Reminders(ProgrammeAPIView):
    """Reminders for all who have not claimed."""

    permissions = {"POST": "partners.manage"}

    @extend_schema(
        operation_id="partner_members_remind_all",
        tags=["partner"],
        request=None,
        responses=RemindedOut,
    )
    def post(self, request: Request) -> Response:
        """Remind each who has not claimed and got no mail for a day."""
        return Response(RemindedOut(reminders.remind_all(partner=self.partner)).data)


class Member(MembersView):
    """One member."""

    permissions = {
        "GET": "partners.view",
        "PATCH": "partners.manage",
        "DELETE": "partners.manage",
    }

    @extend_schema(
        operation_id="partner_members_retrieve", tags=["partner"], responses=ProgrammeMemberOut
    )
    def get(self, request: Request, member_id: str) -> Response:
        """Return one member."""
        return Response(ProgrammeMemberOut(member_of(self.partner, member_id)).data)

    @extend_schema(
        operation_id="partner_members_update",
        tags=["partner"],
        request=ProgrammeMemberIn,
        responses=ProgrammeMemberOut,
    )
    def patch(self, request: Request, member_id: str) -> Response:
        """Know him otherwise; his credits stay with him."""
        member = member_of(self.partner, member_id)
        fields = validated(ProgrammeMemberIn, request.data)
        if "group" in fields:
            fields["group"] = self.group(fields["group"])
        changed = update_member(member=member, known=replace(known_of(member), **fields))
        return Response(ProgrammeMemberOut(changed).data)

    @extend_schema(operation_id="partner_members_remove", tags=["partner"], responses={204: None})
    def delete(self, request: Request, member_id: str) -> Response:
        """Let him go: what he has not used goes by the terms, and his access ends at once."""
        member = member_of(self.partner, member_id)
        remove_member(member=member, cause=Cause.REMOVED)
        return Response(status=204)
