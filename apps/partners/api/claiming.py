"""The API of claims, by a person who is in no organization yet, perhaps."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import scope
from apps.core.api import validated
from apps.core.errors import NotFound
from apps.partners.api.serializers import ClaimedOut, ProgrammeClaimIn
from apps.partners.services import claiming
from apps.rbac.errors import PersonRequired
from apps.tenants.models import User


class Claim(APIView):
    """The claim of what a programme offers."""

    @extend_schema(
        operation_id="partner_claim",
        tags=["partner"],
        request=ProgrammeClaimIn,
        responses=ClaimedOut,
    )
    def post(self, request: Request) -> Response:
        """Claim by the secret of the link. For signed-in people with the invited address."""
        if request.auth is not None:
            raise PersonRequired(permission="members.join")
        token = validated(ProgrammeClaimIn, request.data)["token"]
        member = claiming.find_claim(token)
        if member is None:
            raise NotFound
        assert isinstance(request.user, User)
        scope.set_organization(member.organization_id)  # the secret opens it
        claimed = claiming.claim_by_link(member=member, user=request.user, token=token)
        return Response(ClaimedOut(claimed).data)
