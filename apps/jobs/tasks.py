"""Tasks of jobs: rung for by services and by the beat."""

import structlog
from celery import shared_task

from apps.core import queue
from apps.jobs.services import expiring, running, sweeping

logger = structlog.get_logger(__name__)


@shared_task(name="jobs.work")
def work() -> None:
    """
    Do what is next, if anything waits, and ring again, so that other tasks get their turn.

    Safe to repeat.
    """
    if running.work():
        queue.enqueue("jobs.work")


@shared_task(name="jobs.sweep_jobs")
def sweep_jobs() -> None:
    """Take back, fail and ring again for what was forgotten; delete old files. Every 15 s."""
    logger.info(
        "jobs_swept",
        taken_back=sweeping.take_back_lost_claims(),
        overdue=sweeping.fail_what_is_overdue(),
        rung=sweeping.ring_for_waiting_areas(),
        uploads_deleted=expiring.delete_expired_uploads(),
        results_deleted=expiring.delete_expired_results(),
    )


@shared_task(name="jobs.compare_files")
def compare_files() -> None:
    """Delete files without a row, and mark rows without a file. Every night; safe to repeat."""
    found = expiring.compare_files()
    logger.info(
        "files_compared", files=found.files, orphans=len(found.orphans), lost=len(found.lost)
    )
