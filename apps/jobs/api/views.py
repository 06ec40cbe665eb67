"""The jobs API: ask the price, submit, look, fetch."""

from datetime import timedelta
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import paginated, run_once, validated
from apps.core.files import handed_out
from apps.core.idempotency import Answer
from apps.jobs import selectors
from apps.jobs.api.base import JobsAPIView
from apps.jobs.api.serializers import (
    JobFilterIn,
    JobIn,
    JobOut,
    OperationOut,
    QuoteIn,
    QuoteOut,
)
from apps.jobs.errors import UploadNotFound
from apps.jobs.models import GenerationJob
from apps.jobs.selectors import JobFilters
from apps.jobs.selectors.viewing import Viewer
from apps.jobs.services import changing, quotes, submission
from apps.jobs.services.submission import AreaRequest
from apps.tenants.models import Organization

LOOK_AGAIN_SECONDS = 2


class Operations(JobsAPIView):
    """What can be done."""

    is_paged = False
    permissions = {"GET": "jobs.view"}
    for_own = {"GET": "jobs.view_own"}

    @extend_schema(operation_id="operations_list", tags=["jobs"], responses=OperationOut(many=True))
    def get(self, request: Request) -> Response:
        """Return the operations with their styles and prices."""
        found = OperationOut(selectors.operations(), many=True).data
        return Response({"object": "list", "data": found, "has_more": False})


class Quote(JobsAPIView):
    """The price of a job, before it is submitted."""

    permissions = {"POST": "jobs.view"}
    for_own = {"POST": "jobs.view_own"}

    @extend_schema(operation_id="jobs_quote", tags=["jobs"], request=QuoteIn, responses=QuoteOut)
    def post(self, request: Request) -> Response:
        """Return what the job would cost now, and what would be left; nothing is written."""
        fields = validated(QuoteIn, request.data)
        is_told = "upload_id" in fields or "areas" in fields
        quote = quotes.quote_job(
            organization=self.organization,
            user=self.user,
            operation=fields["operation"],
            areas=areas_asked_for(self.organization, fields, self.by()) if is_told else (),
        )
        return Response(QuoteOut(quote).data)


class Jobs(JobsAPIView):
    """The organization's jobs."""

    permissions = {"GET": "jobs.view", "POST": "jobs.submit"}
    for_own = {"GET": "jobs.view_own"}
    keyed_methods = frozenset({"POST"})
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="jobs_list",
        tags=["jobs"],
        parameters=[JobFilterIn],
        responses=JobOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return jobs, newest first."""
        known = frozenset(JobFilterIn().fields)
        asked = {name: value for name, value in request.query_params.items() if name in known}
        filters = JobFilters(**validated(JobFilterIn, asked))
        jobs = selectors.matching(selectors.jobs_of(self.organization, self.by()), filters)
        return paginated(request, jobs, JobOut, parameters=known)

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
            ),
            OpenApiExample(
                "Restyle two pictures, each in its own way",
                value={
                    "operation": "image.restyle",
                    "parameters": {"style": "dusk"},
                    "areas": [
                        {"upload_id": "upl_01KAHB3V8V3PRA4KQ5N2T6X9WZ"},
                        {
                            "upload_id": "upl_01KAHB3W2N6T0C4H8Q1Z5M7RXE",
                            "parameters": {"style": "newsprint"},
                        },
                    ],
                },
                request_only=True,
            ),
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
            areas=areas_asked_for(self.organization, fields, self.by()),
            time=timedelta(seconds=fields["time"]) if "time" in fields else submission.TIME,
        )
        return answered(201, self.organization, job)


class Job(JobsAPIView):
    """One job."""

    permissions = {"GET": "jobs.view"}
    for_own = {"GET": "jobs.view_own"}

    @extend_schema(operation_id="jobs_retrieve", tags=["jobs"], responses=JobOut)
    def get(self, request: Request, job_id: str) -> Response:
        """Return the job as far as it is."""
        return Response(
            JobOut(self.get_object(selectors.jobs_of(self.organization, self.by()), job_id)).data
        )


class CancelJob(JobsAPIView):
    """The end of what has not begun."""

    permissions = {"POST": "jobs.cancel"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(operation_id="jobs_cancel", tags=["jobs"], request=None, responses=JobOut)
    def post(self, request: Request, job_id: str) -> Response:
        """Cancel the areas that wait, and give their credits back; 409 if none does."""
        job = self.get_object(selectors.jobs_of(self.organization, self.by()), job_id)
        return run_once(request, principal=self.principal, effect=lambda: self.cancel(job))

    def cancel(self, job: GenerationJob) -> Answer:
        """Cancel, and show how the job ended."""
        changing.cancel_job(job=job)
        return Answer(200, dict(JobOut(selectors.job_of(self.organization, job.pk)).data))


class RetryJob(JobsAPIView):
    """Another attempt for what failed."""

    permissions = {"POST": "jobs.submit"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(operation_id="jobs_retry", tags=["jobs"], request=None, responses={202: JobOut})
    def post(self, request: Request, job_id: str) -> Response:
        """Try the failed areas of a job again, and pay for them again; 409 if there are none."""
        job = self.get_object(selectors.jobs_of(self.organization, self.by()), job_id)
        return run_once(request, principal=self.principal, effect=lambda: self.retry(job))

    def retry(self, job: GenerationJob) -> Answer:
        """Try again, and say where the job is."""
        return answered(202, self.organization, changing.retry_job(job=job, by=self.user))


class AreaResult(JobsAPIView):
    """What a job made of one picture."""

    permissions = {"GET": "jobs.view"}
    for_own = {"GET": "jobs.view_own"}

    @extend_schema(
        operation_id="jobs_area_result",
        tags=["jobs"],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, job_id: str, position: int) -> HttpResponseBase:
        """Return the picture; 409 while there is none, 410 once it is no longer kept."""
        job = self.get_object(selectors.jobs_of(self.organization, self.by()), job_id)
        return handed_out(selectors.result_of(selectors.area_of(job, position)))


def areas_asked_for(
    organization: Organization, fields: dict[str, Any], by: Viewer
) -> list[AreaRequest]:
    """
    Return the areas of a request; what one does not say is as the request says for all.

    :raises UploadNotFound: if an area has no picture, or none that can be used.
    """
    asked = [
        (
            area.get("upload_id") or fields.get("upload_id", ""),
            area.get("parameters", fields["parameters"]),
        )
        for area in fields.get("areas") or [{}]
    ]
    found = selectors.usable_uploads(organization, [upload_id for upload_id, _ in asked], by)
    for upload_id, _ in asked:
        if upload_id not in found:
            raise UploadNotFound(upload_id=upload_id)
    return [AreaRequest(found[upload_id], parameters) for upload_id, parameters in asked]


def answered(status: int, organization: Organization, job: GenerationJob) -> Answer:
    """Answer with a job that will be worked on, where it is, and when to look again."""
    headers = {
        "Location": str(reverse("api:jobs:job", args=[job.public_id])),
        "Retry-After": str(LOOK_AGAIN_SECONDS),
    }
    return Answer(status, dict(JobOut(selectors.job_of(organization, job.pk)).data), headers)
