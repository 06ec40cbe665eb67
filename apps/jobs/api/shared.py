"""The API of jobs that an organization elsewhere shares with the caller."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.files import handed_out
from apps.core.ids import encode
from apps.jobs import selectors
from apps.jobs.api.serializers import AreaOut, JobOut
from apps.jobs.models import GenerationArea, GenerationJob
from apps.rbac.api.person import PersonAPIView


class SharedAreaOut(AreaOut):
    """An area as a person outside sees it: neither what it cost, nor which upload it was."""

    class Meta(AreaOut.Meta):
        fields = [
            "object",
            "position",
            "parameters",
            "status",
            "progress",
            "result_url",
            "error",
            "started_at",
            "completed_at",
        ]

    upload_id = None  # type: ignore[assignment]  # how a serializer drops a field

    def get_result_url(self, area: GenerationArea) -> str | None:
        """Return the address of the result, for the signed-in person alone."""
        if not selectors.has_result(area):
            return None
        place = [encode(GenerationJob.PREFIX, area.job_id), area.position]
        return str(reverse("api:jobs:shared_area_result", args=place))


class SharedJobOut(JobOut):
    """A job as a person outside sees it: neither what it cost, nor who asked for it."""

    area_serializer = SharedAreaOut

    class Meta(JobOut.Meta):
        fields = [
            "id",
            "object",
            "operation",
            "status",
            "progress",
            "area_count",
            "completed_areas",
            "failed_areas",
            "cancelled_areas",
            "result_url",
            "error",
            "created_at",
            "started_at",
            "completed_at",
            "areas",
        ]

    submitted_by = None  # type: ignore[assignment]  # how a serializer drops a field

    @extend_schema_field(SharedAreaOut(many=True))
    def get_areas(self, job: GenerationJob) -> list[dict[str, Any]]:
        """Return its areas, in order."""
        return super().get_areas(job)


class SharedJob(PersonAPIView):
    """One job that is shared with the caller."""

    @extend_schema(operation_id="shared_jobs_retrieve", tags=["sharing"], responses=SharedJobOut)
    def get(self, request: Request, job_id: str) -> Response:
        """Return the job as far as it is. For signed-in people only."""
        job = selectors.shared_job(self.user, GenerationJob.read_id(job_id))
        return Response(SharedJobOut(job).data)


class SharedResult(PersonAPIView):
    """What a job that is shared with the caller made of one area."""

    @extend_schema(
        operation_id="shared_jobs_result",
        tags=["sharing"],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, job_id: str, position: int) -> HttpResponseBase:
        """Return the picture; 409 while there is none, 410 later. For signed-in people only."""
        job = selectors.shared_job(self.user, GenerationJob.read_id(job_id))
        return handed_out(selectors.result_of(selectors.area_of(job, position)))
