"""What members ask for, for the programme: list, approve, decline."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, run_once, validated
from apps.core.idempotency import Answer
from apps.partners.api.asking_serializers import (
    ApproveIn,
    CreditRequestOut,
    DeclineIn,
    RequestFilterIn,
)
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.selectors.requests import request_of, requests_of
from apps.partners.services import requests

VIEW, MANAGE = "partners.view", "partners.manage"


class Requests(ProgrammeAPIView):
    """What members asked for."""

    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="partner_requests_list",
        tags=["partner"],
        parameters=[RequestFilterIn],
        responses=CreditRequestOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return requests, newest first."""
        asked = validated(RequestFilterIn, request.query_params)
        found = requests_of(self.partner, status=asked["status"])
        known = frozenset(RequestFilterIn().fields)
        return paginated(request, found, CreditRequestOut, parameters=known)


class OneRequest(ProgrammeAPIView):
    """One request."""

    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="partner_requests_retrieve", tags=["partner"], responses=CreditRequestOut
    )
    def get(self, request: Request, request_id: str) -> Response:
        """Return one request."""
        return Response(CreditRequestOut(request_of(self.partner, request_id)).data)


class Approve(ProgrammeAPIView):
    """The answer that gives credits."""

    permissions = {"POST": MANAGE}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="partner_requests_approve",
        tags=["partner"],
        request=ApproveIn,
        responses=CreditRequestOut,
    )
    def post(self, request: Request, request_id: str) -> Response:
        """Award what was asked for, or another number; approved twice is approved once."""
        fields = validated(ApproveIn, request.data)
        found = request_of(self.partner, request_id)

        def effect() -> Answer:
            done = requests.approve_request(request=found, by=self.user, **fields)
            return Answer(200, dict(CreditRequestOut(done).data))

        return run_once(request, principal=self.principal, effect=effect, is_repeatable=True)


class Decline(ProgrammeAPIView):
    """The answer that gives none."""

    permissions = {"POST": MANAGE}

    @extend_schema(
        operation_id="partner_requests_decline",
        tags=["partner"],
        request=DeclineIn,
        responses=CreditRequestOut,
    )
    def post(self, request: Request, request_id: str) -> Response:
        """Decline, and tell the member why; declined twice is declined once."""
        fields: dict[str, Any] = validated(DeclineIn, request.data)
        found = request_of(self.partner, request_id)
        done = requests.decline_request(request=found, by=self.user, **fields)
        return Response(CreditRequestOut(done).data)
