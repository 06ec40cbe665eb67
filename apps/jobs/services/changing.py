"""What people do with a job once it is submitted: cancel what waits, retry what failed."""

from django.db import transaction

from apps.core.clock import database_now
from apps.credits import selectors as credits_selectors
from apps.jobs import selectors
from apps.jobs.errors import JobNotCancellable, JobNotRetryable, NotOwnJob, PictureGone
from apps.jobs.models import GenerationArea, GenerationJob
from apps.jobs.models.jobs import Status
from apps.jobs.services.ending import CANCELLED, end_areas, lock_job, locked_areas, take_stock
from apps.jobs.services.submission import TIME, pay_for, ring_for, told_of
from apps.tenants.models import User
from apps.tenants.services import audit


@transaction.atomic
def cancel_job(*, job: GenerationJob) -> GenerationJob:
    """
    Cancel the areas that no worker has begun, and give their credits back.

    What is being worked on goes on; the job ends with it.

    :raises JobNotCancellable: if nothing waits.
    """
    job = lock_job(job.pk)
    # Locked: this decides between us and a worker that takes one at this moment.
    waiting = locked_areas(job, [Status.PENDING])
    if not waiting:
        raise JobNotCancellable(job_status=job.status)
    end_areas(job, waiting, CANCELLED)
    _record("job.cancel", job, waiting)
    return job


@transaction.atomic
def retry_job(*, job: GenerationJob, by: User) -> GenerationJob:
    """
    Try the failed areas of a job again, which is paid again: their credits came back.

    It is paid from the wallet from which it was paid before; `by` is who wants it, of an API key
    who made that.

    :raises NotOwnJob: if that wallet is a member's own, and he is another.
    :raises JobNotRetryable: if the job has not ended, or none of its areas failed.
    :raises PictureGone: if a picture is no longer kept.
    :raises InsufficientCredits: if the organization cannot pay for all; nothing is written.
    :raises BudgetExceeded: if a budget that stops has not that much left this month.
    """
    job = lock_job(job.pk)
    if not selectors.can_pay_again(job, by):
        raise NotOwnJob
    failed = locked_areas(job, [Status.FAILED]) if job.is_finished else []
    if not failed:
        raise JobNotRetryable(job_status=job.status, failed=job.failed_areas)
    _check_pictures(failed)
    job.deadline = database_now() + TIME
    for area in failed:
        area.attempt_number += 1
    pay_for(job, failed, credits_selectors.price_of(job.operation_type))
    for area in failed:
        area.status, area.progress, area.claims = Status.PENDING, 0, 0
        area.error_code = area.error_message = ""
        area.started_at = area.completed_at = None
        area.save()
    # A part of it is done already, or none is: so it goes on, or waits again.
    job.status = Status.PROCESSING if job.completed_areas else Status.PENDING
    job.completed_at = None
    take_stock(job)
    _record("job.retry", job, failed)
    ring_for(job, len(failed))
    return job


def _check_pictures(areas: list[GenerationArea]) -> None:
    now = database_now()
    for area in areas:
        if area.upload is None or area.upload.expires_at <= now:
            raise PictureGone(position=area.position)


def _record(action: str, job: GenerationJob, areas: list[GenerationArea]) -> None:
    audit.record(
        action=action,
        organization=job.organization,
        object_id=job.public_id,
        after=told_of(job, areas=[area.position for area in areas], cost=job.cost),
    )
