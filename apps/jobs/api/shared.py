"""The API of jobs that an organization elsewhere shares with the caller."""

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.files import stored_file
from apps.jobs import selectors
from apps.jobs.api.serializers import JobOut
from apps.jobs.models import GenerationJob
from apps.rbac.api.person import PersonAPIView


class SharedJobOut(JobOut):
    """A job as a person outside sees it: neither what it cost, nor who asked for it."""

    class Meta(JobOut.Meta):
        fields = [
            "id",
            "object",
            "operation",
            "parameters",
            "status",
            "progress",
            "result_url",
            "error",
            "created_at",
            "started_at",
            "completed_at",
        ]

    upload_id = submitted_by = None  # type: ignore[assignment]  # how a serializer drops a field

    def get_result_url(self, job: GenerationJob) -> str | None:
        """Return the address at which the person gets the result, once there is one."""
        if not job.result:
            return None
        return str(reverse("api:jobs:shared_result", args=[job.public_id]))


class SharedJob(PersonAPIView):
    """One job that is shared with the caller."""

    @extend_schema(operation_id="shared_jobs_retrieve", tags=["sharing"], responses=SharedJobOut)
    def get(self, request: Request, job_id: str) -> Response:
        """Return the job as far as it is. For signed-in people only."""
        job = selectors.shared_job(self.user, GenerationJob.read_id(job_id))
        return Response(SharedJobOut(job).data)


class SharedResult(PersonAPIView):
    """What a job that is shared with the caller made."""

    @extend_schema(
        operation_id="shared_jobs_result",
        tags=["sharing"],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        """Return the picture; 409 while there is none. For signed-in people only."""
        job = selectors.shared_job(self.user, GenerationJob.read_id(job_id))
        return stored_file(**selectors.result_of(job))
