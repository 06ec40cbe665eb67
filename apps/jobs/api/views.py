"""The jobs API: upload a picture, ask the price, submit, look, fetch."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import paginated, run_once, validated
from apps.core.files import stored_file
from apps.core.idempotency import Answer
from apps.jobs import selectors
from apps.jobs.api.serializers import (
    JobIn,
    JobOut,
    OperationOut,
    QuoteIn,
    QuoteOut,
    UploadIn,
    UploadOut,
)
from apps.jobs.models import GenerationJob
from apps.jobs.services import quotes, submission, uploads
from apps.rbac.api.base import TenantAPIView


class Uploads(TenantAPIView):
    """Pictures to work on."""

    permissions = {"POST": "jobs.submit"}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="uploads_create", tags=["jobs"], request=UploadIn, responses={201: UploadOut}
    )
    def post(self, request: Request) -> Response:
        """Keep a picture for seven days."""
        fields = validated(UploadIn, request.data)
        upload = uploads.store_upload(
            organization=self.organization, user=self.user, file=fields["picture"]
        )
        return Response(UploadOut(upload).data, status=201)


class Operations(TenantAPIView):
    """What can be done."""

    permissions = {"GET": "jobs.view"}

    @extend_schema(operation_id="operations_list", tags=["jobs"], responses=OperationOut(many=True))
    def get(self, request: Request) -> Response:
        """Return the operations with their styles and prices."""
        found = OperationOut(selectors.operations(), many=True).data
        return Response({"object": "list", "data": found, "has_more": False})


class Quote(TenantAPIView):
    """The price of a job, before it is submitted."""

    permissions = {"POST": "jobs.view"}

    @extend_schema(operation_id="jobs_quote", tags=["jobs"], request=QuoteIn, responses=QuoteOut)
    def post(self, request: Request) -> Response:
        """Return what the job would cost now, and what would be left; nothing is written."""
        fields = validated(QuoteIn, request.data)
        quote = quotes.quote_job(organization=self.organization, operation=fields["operation"])
        return Response(QuoteOut(quote).data)


class Jobs(TenantAPIView):
    """The organization's jobs."""

    permissions = {"GET": "jobs.view", "POST": "jobs.submit"}
    keyed_methods = frozenset({"POST"})
    parser_classes = [JSONParser]

    @extend_schema(operation_id="jobs_list", tags=["jobs"], responses=JobOut(many=True))
    def get(self, request: Request) -> Response:
        """Return jobs, newest first."""
        return paginated(request, selectors.jobs_of(self.organization), JobOut)

    @extend_schema(
        operation_id="jobs_create",
        tags=["jobs"],
        request=JobIn,
        responses={201: JobOut},
        examples=[
            OpenApiExample(
                "Restyle a picture",
                value={
                    "operation": "image.restyle",
                    "parameters": {"style": "dusk"},
                    "upload_id": "upl_01KAHB3V8V3PRA4KQ5N2T6X9WZ",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Submit a job and pay for it; the same key never pays twice."""
        fields = validated(JobIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.submit(fields))

    def submit(self, fields: dict[str, Any]) -> Answer:
        """Submit, and say where the job is."""
        job = submission.submit_job(
            organization=self.organization,
            user=self.user,
            operation=fields["operation"],
            parameters=fields["parameters"],
            upload=selectors.usable_upload(self.organization, fields["upload_id"]),
        )
        job.refresh_from_db()
        location = reverse("api:jobs:job", args=[job.public_id])
        return Answer(201, dict(JobOut(job).data), {"Location": str(location)})


class Job(TenantAPIView):
    """One job."""

    permissions = {"GET": "jobs.view"}

    @extend_schema(operation_id="jobs_retrieve", tags=["jobs"], responses=JobOut)
    def get(self, request: Request, job_id: str) -> Response:
        """Return the job as far as it is."""
        return Response(JobOut(self.get_object(selectors.jobs_of(self.organization), job_id)).data)


class CancelJob(TenantAPIView):
    """The end of a job that has not begun."""

    permissions = {"POST": "jobs.cancel"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(operation_id="jobs_cancel", tags=["jobs"], request=None, responses=JobOut)
    def post(self, request: Request, job_id: str) -> Response:
        """Cancel the job and give its credits back; 409 if it has begun."""
        job = self.get_object(selectors.jobs_of(self.organization), job_id)
        return run_once(request, principal=self.principal, effect=lambda: self.cancel(job))

    def cancel(self, job: GenerationJob) -> Answer:
        """Cancel, and show how the job ended."""
        return Answer(200, dict(JobOut(submission.cancel_job(job=job)).data))


class JobResult(TenantAPIView):
    """What a job made."""

    permissions = {"GET": "jobs.view"}

    @extend_schema(
        operation_id="jobs_result",
        tags=["jobs"],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Return the picture; 409 while there is none."""
        job = self.get_object(selectors.jobs_of(self.organization), job_id)
        return stored_file(**selectors.result_of(job))
