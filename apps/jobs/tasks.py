"""Tasks of jobs: rung for by services and by the beat."""

from uuid import UUID

import structlog
from celery import shared_task

from apps.jobs.services import running, uploads

logger = structlog.get_logger(__name__)


@shared_task(name="jobs.run_job")
def run_job(*, job_id: str) -> None:
    """Run one job, if it still waits. Safe to repeat."""
    running.run_job(job_id=UUID(job_id))


@shared_task(name="jobs.sweep_jobs")
def sweep_jobs() -> None:
    """Ring again for forgotten jobs, and delete pictures past their date. Every 15 s."""
    logger.info(
        "jobs_swept",
        rung=running.ring_for_waiting_jobs(),
        uploads_deleted=uploads.delete_expired_uploads(),
    )
