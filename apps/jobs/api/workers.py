"""
The API for workers outside: claim, keep, fetch, complete, fail, release.

Only the first looks across organizations, and only while it does, over the connection of
staff. The others work in the one organization that key and claim together open, in the role
of the web.
"""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import scope
from apps.core.api import validated
from apps.core.bodies import body_length
from apps.core.files import stored_file
from apps.core.openapi import Problem
from apps.core.postgres.staff import as_staff
from apps.jobs.api.worker_authentication import HasWorkerKey, WorkerKeyAuthentication
from apps.jobs.api.worker_serializers import (
    ClaimIn,
    ClaimOut,
    CompletedOut,
    EndOut,
    FailIn,
    HeartbeatIn,
    LeaseOut,
)
from apps.jobs.models import WorkerClaim, WorkerKey
from apps.jobs.services import worker_claims
from apps.jobs.services.pictures import LARGEST_RESULT_FILE, check_length

LOOK_AGAIN_SECONDS = 5  # where nothing waits; nobody holds a connection until something does
TAGS = ["Workers"]
LOST = {(409, "application/problem+json"): Problem}
TOO_LARGE = {(413, "application/problem+json"): Problem}


class WorkerAPIView(APIView):
    """A view for workers outside; people and API keys are unknown here."""

    authentication_classes = [WorkerKeyAuthentication]
    permission_classes = [HasWorkerKey]

    @property
    def key(self) -> WorkerKey:
        """The key by which the worker signed in."""
        assert isinstance(self.request.auth, WorkerKey)  # HasWorkerKey lets nobody else in
        return self.request.auth

    def claim(self, claim_id: str) -> WorkerClaim:
        """
        Return the worker's claim, and work in its organization for the rest of the request.

        :raises NotFound: if this key has no such claim.
        """
        claim = worker_claims.find(key=self.key, claim_id=WorkerClaim.read_id(claim_id))
        scope.set_organization(claim.organization_id)
        return claim


class Claims(WorkerAPIView):
    """What there is to do."""

    @extend_schema(
        operation_id="worker_claims_create",
        tags=TAGS,
        request=ClaimIn,
        responses={200: ClaimOut, 204: None},
    )
    def post(self, request: Request) -> Response:
        """Take the area whose turn it is; 204 with `Retry-After` if nothing waits."""
        fields = validated(ClaimIn, request.data)
        with as_staff("a worker takes what is next, whoever's it is"):
            claim = worker_claims.take(key=self.key, operations=fields.get("operations", ()))
        if claim is None:
            return Response(status=204, headers={"Retry-After": str(LOOK_AGAIN_SECONDS)})
        return Response(ClaimOut(claim).data)


class ClaimHeartbeat(WorkerAPIView):
    """A sign of life."""

    @extend_schema(
        operation_id="worker_claims_heartbeat",
        tags=TAGS,
        request=HeartbeatIn,
        responses={200: LeaseOut, **LOST},
    )
    def post(self, request: Request, claim_id: str) -> Response:
        """Keep the area for another lease, and say how far it is; 409 if it was lost."""
        fields = validated(HeartbeatIn, request.data)
        until = worker_claims.heartbeat(claim=self.claim(claim_id), progress=fields.get("progress"))
        return Response(LeaseOut({"lease_until": until}).data)


class ClaimPicture(WorkerAPIView):
    """The picture to work on."""

    @extend_schema(
        operation_id="worker_claims_picture",
        tags=TAGS,
        responses={
            **{(200, f"image/{kind}"): OpenApiTypes.BINARY for kind in ("png", "jpeg", "webp")},
            **LOST,
        },
    )
    def get(self, request: Request, claim_id: str) -> HttpResponseBase:
        """Return the picture, while it is claimed."""
        # Never by a link to a bucket: a worker would send his key along to it.
        return stored_file(worker_claims.picture(claim=self.claim(claim_id)))


class ClaimResult(WorkerAPIView):
    """What came of it."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """
        Refuse a body that is too long before any of it is read.

        :raises PictureTooLarge: if it is.
        """
        check_length(body_length(request._request), LARGEST_RESULT_FILE)
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="worker_claims_complete",
        tags=TAGS,
        request={f"image/{kind}": OpenApiTypes.BINARY for kind in ("png", "jpeg", "webp")},
        responses={200: CompletedOut, **LOST, **TOO_LARGE},
    )
    def put(self, request: Request, claim_id: str) -> Response:
        """
        Keep the picture, and complete the area with it.

        PNG, JPEG or WebP, up to 100 MB and as many pixels as the operation may make; 413 if it
        is larger.
        """
        claim = self.claim(claim_id)
        content = request._request.read()  # as many bytes as it said that it has
        kept = worker_claims.complete(claim=claim, content=content)
        found = {
            "id": claim.public_id,
            "status": "completed",
            "content_type": kept.content_type,
            "width": kept.width,
            "height": kept.height,
        }
        return Response(CompletedOut(found).data)


class FailedClaim(WorkerAPIView):
    """The end of what cannot be done."""

    @extend_schema(
        operation_id="worker_claims_fail",
        tags=TAGS,
        request=FailIn,
        responses={200: EndOut, **LOST},
    )
    def post(self, request: Request, claim_id: str) -> Response:
        """Fail the area and give its credits back, or let another worker try it."""
        fields = validated(FailIn, request.data)
        claim = self.claim(claim_id)
        why = {"code": fields["code"], "message": fields["message"]}
        if fields["is_retryable"]:
            return released(claim, **why)
        worker_claims.fail(claim=claim, **why)
        return Response(EndOut({"id": claim.public_id, "status": "failed"}).data)


class ReleasedClaim(WorkerAPIView):
    """What a worker gives back."""

    @extend_schema(
        operation_id="worker_claims_release",
        tags=TAGS,
        request=None,
        responses={200: EndOut, **LOST},
    )
    def post(self, request: Request, claim_id: str) -> Response:
        """Let another worker have the area."""
        return released(self.claim(claim_id))


def released(claim: WorkerClaim, **why: str) -> Response:
    """Give an area back, and say so."""
    worker_claims.release(claim=claim, **why)
    return Response(EndOut({"id": claim.public_id, "status": "released"}).data)
