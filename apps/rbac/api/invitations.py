"""The API of invitations."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import scope
from apps.core.api import LimitParameter, check_parameters, paginated, validated
from apps.core.clock import database_now
from apps.core.errors import NotFound
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.people_serializers import (
    AcceptedOut,
    InvitationFilter,
    InvitationIn,
    InvitationOut,
    InvitationsIn,
    InvitedOut,
    TokenIn,
    row_line,
)
from apps.rbac.errors import PersonRequired
from apps.rbac.services import accepting, invitations
from apps.tenants.models import User

FILTERS = frozenset(InvitationFilter().fields)


class Invitations(TenantAPIView):
    """The organization's invitations."""

    permissions = {"GET": "members.view", "POST": "members.manage"}

    @extend_schema(
        operation_id="invitations_list",
        tags=["invitations"],
        parameters=[InvitationFilter, LimitParameter],
        responses=InvitationOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the invitations, newest first, ended ones too."""
        check_parameters(request, FILTERS | {"limit", "cursor"})
        chosen = validated(InvitationFilter, request.query_params)
        rows = selectors.invitations_of(self.organization)
        if "status" in chosen:
            rows = selectors.invitations_in(rows, chosen["status"], database_now())
        return paginated(request, rows, InvitationOut, parameters=FILTERS)

    @extend_schema(
        operation_id="invitations_create",
        tags=["invitations"],
        request=InvitationIn,
        responses={201: InvitationOut},
    )
    def post(self, request: Request) -> Response:
        """Invite an address; the link goes to its mailbox and nowhere else."""
        fields = validated(InvitationIn, request.data)
        invitation = invitations.invite(
            organization=self.organization,
            email=fields["email"],
            role=selectors.find_role(self.organization, fields["role"]),
            by=self.user,
            key=self.key,
        )
        location = reverse("api:rbac:invitation", args=[invitation.public_id])
        body = InvitationOut(invitation).data
        return Response(body, status=201, headers={"Location": location})


class InvitationBatch(TenantAPIView):
    """Many invitations at once."""

    permissions = {"POST": "members.manage"}

    @extend_schema(
        operation_id="invitations_create_batch",
        tags=["invitations"],
        request=InvitationsIn,
        responses=InvitedOut,
    )
    def post(self, request: Request) -> Response:
        """Invite each of these addresses, and tell for each what became of it."""
        fields = validated(InvitationsIn, request.data)
        rows = invitations.invite_many(
            organization=self.organization,
            emails=fields["emails"],
            role=selectors.find_role(self.organization, fields["role"]),
            by=self.user,
            key=self.key,
        )
        invited = sum(row.invitation is not None for row in rows)
        body = {
            "invited": invited,
            "failed": len(rows) - invited,
            "rows": [row_line(row) for row in rows],
        }
        return Response(InvitedOut(body).data)


class Invitation(TenantAPIView):
    """One invitation."""

    permissions = {"GET": "members.view"}

    @extend_schema(
        operation_id="invitations_retrieve", tags=["invitations"], responses=InvitationOut
    )
    def get(self, request: Request, invitation_id: str) -> Response:
        """Return one invitation."""
        found = self.get_object(selectors.invitations_of(self.organization), invitation_id)
        return Response(InvitationOut(found).data)


class ResentInvitation(TenantAPIView):
    """Another mail for an invitation."""

    permissions = {"POST": "members.manage"}

    @extend_schema(
        operation_id="invitations_resend",
        tags=["invitations"],
        request=None,
        responses=InvitationOut,
    )
    def post(self, request: Request, invitation_id: str) -> Response:
        """Send it again, with a new link for another 7 days; the pause grows each time."""
        found = self.get_object(selectors.invitations_of(self.organization), invitation_id)
        again = invitations.resend(invitation=found, by=self.user, key=self.key)
        return Response(InvitationOut(again).data)


class RevokedInvitation(TenantAPIView):
    """The end of an invitation."""

    permissions = {"POST": "members.manage"}

    @extend_schema(
        operation_id="invitations_revoke",
        tags=["invitations"],
        request=None,
        responses=InvitationOut,
    )
    def post(self, request: Request, invitation_id: str) -> Response:
        """Revoke it: its link opens nothing any more."""
        found = self.get_object(selectors.invitations_of(self.organization), invitation_id)
        return Response(InvitationOut(invitations.revoke(invitation=found)).data)


class AcceptedInvitation(APIView):
    """The acceptance of an invitation, by a person who is in no organization yet, perhaps."""

    @extend_schema(
        operation_id="invitations_accept",
        tags=["invitations"],
        request=TokenIn,
        responses=AcceptedOut,
    )
    def post(self, request: Request) -> Response:
        """Join by the secret of the link. For signed-in people with the invited address."""
        if request.auth is not None:
            raise PersonRequired(permission="members.join")
        fields = validated(TokenIn, request.data)
        invitation = accepting.find_invitation(fields["token"])
        if invitation is None:
            raise NotFound
        assert isinstance(request.user, User)
        scope.set_organization(invitation.organization_id)  # the secret opens it
        joined = accepting.accept(invitation=invitation, user=request.user, token=fields["token"])
        return Response(AcceptedOut(joined).data)
