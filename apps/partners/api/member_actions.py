"""The API of what is done to one member: remind, send again, suspend, lift."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.api.serializers import ProgrammeMemberOut, ProgrammeReasonIn
from apps.partners.selectors.members import member_of
from apps.partners.services import reminders, standing


class Reminder(ProgrammeAPIView):
    """A reminder for one who has not claimed."""

    permissions = {"POST": "partners.manage"}

    @extend_schema(
        operation_id="partner_members_remind",
        tags=["partner"],
        request=None,
        responses=ProgrammeMemberOut,
    )
    def post(self, request: Request, member_id: str) -> Response:
        """Remind him, once a day at most."""
        member = member_of(self.partner, member_id)
        return Response(ProgrammeMemberOut(reminders.remind(member=member)).data)


class ResentLink(ProgrammeAPIView):
    """The newest mail once more."""

    permissions = {"POST": "partners.manage"}

    @extend_schema(
        operation_id="partner_members_resend",
        tags=["partner"],
        request=None,
        responses=ProgrammeMemberOut,
    )
    def post(self, request: Request, member_id: str) -> Response:
        """Send it with a new link, if it was lost; the old link ends."""
        member = member_of(self.partner, member_id)
        return Response(ProgrammeMemberOut(reminders.resend(member=member)).data)


class Suspension(ProgrammeAPIView):
    """Nothing is spent or awarded, until it is lifted."""

    permissions = {"POST": "partners.manage", "DELETE": "partners.manage"}

    @extend_schema(
        operation_id="partner_members_suspend",
        tags=["partner"],
        request=ProgrammeReasonIn,
        responses=ProgrammeMemberOut,
    )
    def post(self, request: Request, member_id: str) -> Response:
        """Suspend him; repeated, nothing happens."""
        member = member_of(self.partner, member_id)
        reason = validated(ProgrammeReasonIn, request.data)["reason"]
        return Response(ProgrammeMemberOut(standing.suspend(member=member, reason=reason)).data)

    @extend_schema(
        operation_id="partner_members_lift",
        tags=["partner"],
        request=None,
        responses=ProgrammeMemberOut,
    )
    def delete(self, request: Request, member_id: str) -> Response:
        """Let him go on where he was: active, or invited."""
        member = member_of(self.partner, member_id)
        lifted = standing.lift(member=member, reason="")
        return Response(ProgrammeMemberOut(lifted).data)
