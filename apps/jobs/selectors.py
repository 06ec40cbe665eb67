"""Read jobs, uploads and what things cost. Nothing here writes."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.core.errors import NotFound
from apps.credits import selectors as credits_selectors
from apps.jobs.errors import ResultNotReady, UploadNotFound
from apps.jobs.models import BlobUpload, GenerationJob
from apps.jobs.runners.protocol import Runner
from apps.jobs.runners.registry import RUNNERS
from apps.rbac.selectors import shared_objects
from apps.tenants.models import Organization, User


@dataclass(frozen=True)
class Operation:
    """Something that can be done to a picture, with its present price in credits."""

    runner: Runner
    cost: int
    unit: str


def operations() -> list[Operation]:
    """Return what can be done and has a price."""
    prices = {price.name: price for price in credits_selectors.price_list()}
    return [
        Operation(runner, prices[code].credit_cost, prices[code].unit)
        for code, runner in RUNNERS.items()
        if code in prices
    ]


def jobs_of(organization: Organization) -> QuerySet[GenerationJob]:
    """Return the organization's jobs."""
    return GenerationJob.objects.filter(organization=organization).select_related("user", "upload")


def job_of(organization: Organization, job_id: UUID | None) -> GenerationJob:
    """
    Return one of the organization's jobs.

    :raises NotFound: if it has no such job.
    """
    job = None if job_id is None else jobs_of(organization).filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def shared_job(user: User, job_id: UUID | None) -> GenerationJob:
    """
    Return a job of an organization elsewhere that is shared with the person now.

    :raises NotFound: if none is, whether there is such a job or not.
    """
    jobs = shared_objects(user, GenerationJob).select_related("organization")
    job = None if job_id is None else jobs.filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def usable_upload(organization: Organization, upload_id: str) -> BlobUpload:
    """
    Return a picture of the organization's that is not past its date.

    :raises UploadNotFound: if there is none; one of another organization looks the same.
    """
    uploads = BlobUpload.objects.filter(organization=organization, expires_at__gt=Now())
    row_id = BlobUpload.read_id(upload_id)
    upload = None if row_id is None else uploads.filter(pk=row_id).first()
    if upload is None:
        raise UploadNotFound(upload_id=upload_id)
    return upload


def result_of(job: GenerationJob) -> dict[str, str]:
    """
    Return name, type and file name of what the job made.

    :raises ResultNotReady: if it made nothing, or not yet.
    """
    if not job.result:
        raise ResultNotReady(job_status=job.status)
    extension = job.result_content_type.rpartition("/")[2]
    return {
        "name": str(job.result),
        "content_type": job.result_content_type,
        "filename": f"{job.public_id}.{extension}",
    }


def original_of(job: GenerationJob) -> dict[str, str]:
    """
    Return name, type and file name of the picture that the job works on.

    :raises NotFound: if it is no longer kept.
    """
    if job.upload is None:
        raise NotFound
    return {
        "name": str(job.upload.file),
        "content_type": job.upload.content_type,
        "filename": job.upload.filename or job.upload.public_id,
    }
