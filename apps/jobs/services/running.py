"""
Do the work that is waiting: claim, run, and write down how it ended.

A claim has a lease. Whoever lost it, because he was slow or his machine died, writes
nothing more; the sweep rings, and somebody else does the job.
"""

import time
from datetime import timedelta
from uuid import UUID

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from apps.core import context, ids, queue
from apps.core.db import outside_transaction
from apps.jobs.models import GenerationJob
from apps.jobs.runners.protocol import ReportProgress, Result, RunFailed
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services.submission import refund

logger = structlog.get_logger(__name__)
LEASE = timedelta(seconds=120)
MOST_ATTEMPTS = 5  # a job that takes its worker down must not do so for ever
PROGRESS_SECONDS = 0.5
RING_AGAIN_AFTER = timedelta(seconds=10)


@outside_transaction
def run_job(*, job_id: UUID) -> bool:
    """
    Run a job if it waits, or if whoever ran it lost his claim; tell whether we did.

    Safe to repeat and to call from many workers at once: one of them gets the claim.
    """
    job = claim_job(job_id=job_id)
    if job is None:
        return False
    with context.acting(actor="system:jobs"):
        if job.attempts > MOST_ATTEMPTS:
            message = f"The job did not finish in {MOST_ATTEMPTS} attempts."
            return fail_job(job=job, code="gave_up", message=message)
        try:
            result = _run(job)
        except RunFailed as error:
            return fail_job(job=job, code=error.code, message=str(error))
        except Exception:
            # The edge of the worker: whatever a runner breaks on, the customer is refunded.
            logger.exception("runner_broke", job=job.public_id)
            message = "Something broke on our side while the picture was worked on."
            return fail_job(job=job, code="internal_error", message=message)
        return complete_job(job=job, result=result)


def claim_job(*, job_id: UUID) -> GenerationJob | None:
    """Claim a job for us alone, or return None if it is not to be had."""
    claim = ids.new_id()
    is_free = Q(status="pending") | Q(status="processing", claimed_until__lte=Now())
    claimed = GenerationJob.objects.filter(is_free, pk=job_id).update(
        status="processing",
        claim=claim,
        claimed_until=Now() + LEASE,
        attempts=F("attempts") + 1,
        progress=0,
        started_at=Coalesce("started_at", Now()),
    )
    if not claimed:
        return None
    jobs = GenerationJob.objects.select_related("organization", "wallet", "upload")
    return jobs.filter(pk=job_id, claim=claim).first()


def _run(job: GenerationJob) -> Result:
    if job.upload is None:
        raise RunFailed("upload_gone", "The picture is no longer kept.")
    with default_storage.open(str(job.upload.file)) as file:
        picture = file.read()
    runner = RUNNERS[job.operation_type]
    return runner.run(picture, job.parameters, _reporter(job))


def _reporter(job: GenerationJob) -> ReportProgress:
    """Return what the runner calls: it writes at most twice a second, and keeps the lease."""
    last = [time.monotonic()]

    def report(percent: int) -> None:
        if time.monotonic() - last[0] >= PROGRESS_SECONDS:
            last[0] = time.monotonic()
            ours = GenerationJob.objects.filter(pk=job.pk, claim=job.claim)
            ours.update(progress=min(percent, 99), claimed_until=Now() + LEASE)

    return report


def complete_job(*, job: GenerationJob, result: Result) -> bool:
    """Keep the result and end the job; tell whether our claim still held."""
    extension = result.content_type.rpartition("/")[2]
    # Named after the claim, so that two who believe to have the job never share a file.
    name = default_storage.save(
        f"results/{job.organization_id}/{job.id}-{job.claim}.{extension}",
        ContentFile(result.content),
    )
    is_ours = False
    try:
        is_ours = _end(
            job,
            status="completed",
            progress=100,
            result=name,
            result_content_type=result.content_type,
            result_width=result.width,
            result_height=result.height,
        )
    finally:
        if not is_ours:
            default_storage.delete(name)
    return is_ours


@transaction.atomic
def fail_job(*, job: GenerationJob, code: str, message: str) -> bool:
    """End the job and give its credits back, both or neither; tell whether our claim held."""
    is_ours = _end(job, status="failed", error_code=code, error_message=message)
    if is_ours:
        refund(job, is_our_fault=True, description="The job failed")
    return is_ours


def _end(job: GenerationJob, *, status: str, **fields: object) -> bool:
    ours = GenerationJob.objects.filter(pk=job.pk, claim=job.claim, status="processing")
    ended = ours.update(status=status, claim=None, claimed_until=None, completed_at=Now(), **fields)
    return bool(ended)


def ring_for_waiting_jobs(*, limit: int = 100) -> int:
    """Ring again for jobs whose first ring was lost, or whose worker was; return how many."""
    is_waiting = Q(status="pending", created_at__lte=Now() - RING_AGAIN_AFTER)
    is_abandoned = Q(status="processing", claimed_until__lte=Now())
    waiting = GenerationJob.objects.filter(is_waiting | is_abandoned).order_by("created_at")
    job_ids = list(waiting.values_list("pk", flat=True)[:limit])
    for job_id in job_ids:
        queue.enqueue("jobs.run_job", job_id=str(job_id))
    return len(job_ids)
