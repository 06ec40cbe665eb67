"""Read jobs, their areas and attempts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from apps.core.errors import NotFound
from apps.credits.models import Wallet
from apps.jobs.models import Attempt, ExternalOperation, GenerationArea, GenerationJob
from apps.jobs.selectors.viewing import Viewer, viewer_of
from apps.rbac.selectors import shared_objects
from apps.tenants.models import Organization, User


def jobs_of(organization: Organization, by: Viewer | None = None) -> QuerySet[GenerationJob]:
    """Return the jobs (or those that one sees), with areas and the names of what they do."""
    jobs = with_names(GenerationJob.objects.filter(organization=organization))
    jobs = jobs.select_related("user")
    if by is not None:
        jobs = jobs.filter(by.sees_jobs())
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


def job_of(
    organization: Organization, job_id: UUID | None, by: Viewer | None = None
) -> GenerationJob:
    """
    Return one of the organization's jobs, or of those that one sees.

    :raises NotFound: if there is no such job among them.
    """
    job = None if job_id is None else jobs_of(organization, by).filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def is_seen_by(job: GenerationJob, user: User) -> bool:
    """Tell whether a person of its organization sees a job."""
    seen = GenerationJob.objects.filter(viewer_of(user, job.organization).sees_jobs())
    return seen.filter(organization=job.organization, pk=job.pk).exists()


def can_pay_again(job: GenerationJob, user: User) -> bool:
    """Tell whether a person may pay for a job again: out of a member's wallet only its holder."""
    return job.wallet.kind != Wallet.Kind.MEMBER or job.wallet.holder_id == user.pk


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
