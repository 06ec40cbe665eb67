"""Read jobs, uploads and what things cost. Nothing here writes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.errors import NotFound
from apps.core.files import StoredFile
from apps.core.ratelimits.policies import Policy
from apps.credits import selectors as credits_selectors
from apps.jobs.errors import ResultGone, ResultNotReady
from apps.jobs.models import (
    Attempt,
    BlobUpload,
    ExternalOperation,
    GenerationArea,
    GenerationJob,
    RateLimitPolicy,
    StyleVersion,
)
from apps.jobs.runners import sample
from apps.jobs.runners.offers import External, Offer, offers
from apps.jobs.runners.registry import RUNNERS, STYLED
from apps.rbac.selectors import shared_objects
from apps.tenants.models import Organization, User


@dataclass(frozen=True)
class Operation:
    """Something that can be done to a picture, with its present price in credits."""

    runner: Offer
    cost: int
    unit: str
    styles: list[StyleVersion]  # in force; none where it has no styles

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """How the parameters of an external one are described; None of one that is built in."""
        return self.runner.schema if isinstance(self.runner, External) else None


def operations() -> list[Operation]:
    """Return what can be done and has a price, each with the styles that can be chosen."""
    prices = {price.name: price for price in credits_selectors.price_list()}
    styles: dict[str, list[StyleVersion]] = {code: [] for code in RUNNERS}
    for version in styles_in_force().order_by("style__position", "style__code"):
        styles[version.style.operation].append(version)
    return [
        Operation(offer, prices[code].credit_cost, prices[code].unit, styles.get(code, []))
        for code, offer in offers().items()
        if code in prices
    ]


def styles_in_force(operation: str = "") -> QuerySet[StyleVersion]:
    """Return the present version of each style that can be chosen, with its style."""
    latest = StyleVersion.objects.order_by("style_id", "-number").distinct("style_id").values("pk")
    found = StyleVersion.objects.filter(
        pk__in=latest, style__is_active=True, style__operation__in=STYLED
    )
    if operation:
        found = found.filter(style__operation=operation)
    return found.select_related("style")


def styles_by_code(operation: str) -> dict[str, StyleVersion]:
    """Return the styles that can be chosen for an operation, in order."""
    found = styles_in_force(operation).order_by("style__position", "style__code")
    return {version.style.code: version for version in found}


def preview_of(operation: str, code: str, number: int) -> bytes:
    """
    Return a small picture (WebP) of what a version of a style does, in force or not.

    :raises NotFound: if there is no such version.
    """
    versions = StyleVersion.objects.filter(style__operation=operation, style__code=code)
    version = versions.filter(number=number).first()
    if version is None:
        raise NotFound
    return preview_of_look(operation, {**version.parameters, "swatches": version.swatches})


def preview_of_look(operation: str, look: Mapping[str, Any]) -> bytes:
    """
    Return a small picture (WebP) of what a look does.

    :raises ValueError: if the operation has no styles, or cannot work by this look.
    """
    if operation not in STYLED or not isinstance(look, dict):
        raise ValueError("operation", "There is no such look.")
    STYLED[operation].check_look(look)
    return sample.preview(operation, json.dumps(look, sort_keys=True))


def jobs_of(organization: Organization) -> QuerySet[GenerationJob]:
    """Return the organization's jobs, with their areas and the names of what they do."""
    jobs = with_names(GenerationJob.objects.filter(organization=organization))
    jobs = jobs.select_related("user")
    areas = GenerationArea.objects.select_related("upload").order_by("position")
    return jobs.prefetch_related(Prefetch("areas", areas))


def with_names(jobs: QuerySet[GenerationJob]) -> QuerySet[GenerationJob]:
    """Tell of each job in `operation_name` what its operation is called, if it is external."""
    external = ExternalOperation.objects.filter(code=OuterRef("operation_type"))
    return jobs.annotate(operation_name=Subquery(external.values("name")))


@dataclass(frozen=True, kw_only=True)
class JobFilters:
    """Which jobs are asked for; what is None or empty is not asked for."""

    status: str = ""
    operation: str = ""
    submitted_by: str = ""  # usr_…
    created_from: datetime | None = None
    created_before: datetime | None = None  # exclusive


def matching(jobs: QuerySet[GenerationJob], filters: JobFilters) -> QuerySet[GenerationJob]:
    """Return those of the jobs that fit all filters."""
    if filters.status:
        jobs = jobs.filter(status=filters.status)
    if filters.operation:
        jobs = jobs.filter(operation_type=filters.operation)
    if filters.submitted_by:
        user_id = User.read_id(filters.submitted_by)
        jobs = jobs.filter(user=user_id) if user_id else jobs.none()
    if filters.created_from:
        jobs = jobs.filter(created_at__gte=filters.created_from)
    if filters.created_before:
        jobs = jobs.filter(created_at__lt=filters.created_before)
    return jobs


JOB_COLUMNS = [
    *("id", "operation", "status", "areas", "completed", "failed", "cancelled", "cost", "refunded"),
    *("payment_type", "submitted_by", "created_at", "started_at", "completed_at"),
]


def job_rows(jobs: QuerySet[GenerationJob]) -> Iterator[list[object]]:
    """Yield a row for each job, the newest first, with no more than some of them in memory."""
    for job in jobs.prefetch_related(None).order_by("-id").iterator(chunk_size=500):
        yield [
            *(job.public_id, job.operation_type, job.status, job.area_count),
            *(job.completed_areas, job.failed_areas, job.cancelled_areas, job.cost, job.refunded),
            *(job.payment_type, job.user.get_full_name(), job.created_at.isoformat()),
            *(moment and moment.isoformat() for moment in (job.started_at, job.completed_at)),
        ]


def job_of(organization: Organization, job_id: UUID | None) -> GenerationJob:
    """
    Return one of the organization's jobs.

    :raises NotFound: if it has no such job.
    """
    job = None if job_id is None else jobs_of(organization).filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def area_of(job: GenerationJob, position: int) -> GenerationArea:
    """
    Return the area of a job at this place, 1 being the first.

    :raises NotFound: if it has no such area.
    """
    for area in job.areas.all():
        if area.position == position:
            return area
    raise NotFound


def attempts_of(job: GenerationJob) -> list[Attempt]:
    """Return every attempt of a job's areas, in order."""
    attempts = Attempt.objects.filter(area__job=job).select_related("area")
    return list(attempts.order_by("area__position", "number"))


def progress_of(job: GenerationJob) -> int:
    """Return how far a job is, in percent: each area counts the same, and what ended is done."""
    areas = job.areas.all()
    done = sum(100 if area.is_finished else area.progress for area in areas)
    return done // (len(areas) or 1)


def shared_job(user: User, job_id: UUID | None) -> GenerationJob:
    """
    Return a job of an organization elsewhere that is shared with the person now.

    :raises NotFound: if none is, whether there is such a job or not.
    """
    areas = GenerationArea.objects.across_organizations("of a job that is shared with him")
    jobs = with_names(shared_objects(user, GenerationJob)).select_related("organization")
    jobs = jobs.prefetch_related(Prefetch("areas", areas.order_by("position")))
    job = None if job_id is None else jobs.filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def usable_uploads(organization: Organization, upload_ids: Iterable[str]) -> dict[str, BlobUpload]:
    """
    Return those of these pictures that are the organization's and not past their date.

    With one query, however many they are; one of another organization is left out like none.
    """
    row_ids = [row_id for one in set(upload_ids) if (row_id := BlobUpload.read_id(one))]
    found = BlobUpload.objects.filter(
        organization=organization, expires_at__gt=Now(), pk__in=row_ids
    )
    return {upload.public_id: upload for upload in found}


def uploads_of(organization: Organization) -> QuerySet[BlobUpload]:
    """Return the pictures of an organization that are kept and not past their date."""
    return BlobUpload.objects.filter(organization=organization, expires_at__gt=Now())


def upload_of(organization: Organization, upload_id: UUID | None) -> BlobUpload:
    """
    Return one of the organization's pictures.

    :raises NotFound: if it has no such picture, or has it no more.
    """
    found = uploads_of(organization).filter(pk=upload_id).first() if upload_id else None
    if found is None:
        raise NotFound
    return found


def kept_bytes(organization: Organization) -> int:
    """Return how many bytes of uploads an organization keeps, those past their date included."""
    uploads = BlobUpload.objects.filter(organization=organization)
    kept: int = uploads.aggregate(kept=Sum("size", default=0))["kept"]
    return kept


def has_result(area: GenerationArea) -> bool:
    """Tell whether an area has a result that is still kept."""
    is_over = area.result_gone_at is not None or is_past(area.result_expires_at)
    return bool(area.result) and not is_over


def is_past(moment: datetime | None) -> bool:
    """Tell whether what is shown until a moment is shown no more; nothing is decided by this."""
    return moment is not None and moment <= timezone.now()


def result_of(area: GenerationArea) -> StoredFile:
    """
    Return the file that was made of an area.

    :raises ResultNotReady: if nothing was, or not yet.
    :raises ResultGone: if it is no longer kept.
    """
    if not area.result:
        raise ResultNotReady(job_status=area.status)
    if not has_result(area):
        until = area.result_expires_at or area.result_gone_at
        raise ResultGone(kept_until=until.date().isoformat() if until else "")
    extension = area.result_content_type.rpartition("/")[2]
    filename = f"{area.public_id}.{extension}"
    return StoredFile(str(area.result), area.result_content_type, filename)


def original_of(area: GenerationArea) -> StoredFile:
    """
    Return the picture that an area works on.

    :raises NotFound: if it is no longer kept.
    """
    if area.upload is None:
        raise NotFound
    return picture_of(area.upload)


def picture_of(upload: BlobUpload) -> StoredFile:
    """Return the file of an upload."""
    filename = upload.filename or upload.public_id
    return StoredFile(str(upload.file), upload.content_type, filename)


def rate_limits() -> list[Policy]:
    """Return the policies of rate limits in force, as whoever counts requests knows them."""
    columns = ("code", "subject", "requests", "limit", "seconds", "plan")
    active = RateLimitPolicy.objects.filter(is_active=True).order_by("code")
    return [Policy(**row) for row in active.values(*columns)]
