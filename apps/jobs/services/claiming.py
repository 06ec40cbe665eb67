"""
Hand out work, in fair order.

It is the turn of the organization that was served longest ago, among those with something
waiting and fewer areas running than they may have. So one that submits ten thousand areas
gets every second place beside one that submits one. A claim reads one row for each
organization that waits, however many areas do. docs/guides/jobs.md
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from apps.core import ids
from apps.core.clock import database_now
from apps.credits.selectors.coverage import concurrent_jobs
from apps.jobs.models import GenerationArea, GenerationJob, OrganizationQueue
from apps.jobs.models.jobs import UNFINISHED
from apps.jobs.models.queues import CONCURRENCY
from apps.jobs.services.ending import TOO_LATE, end_areas, lock_job, locked_areas
from apps.tenants.models import Organization

logger = structlog.get_logger(__name__)
LEASE = timedelta(seconds=30)  # and a sweep: a minute after a death, all is done
TURNS = 5  # how often we look again, when others were quicker

# Whose turn it is. First the organizations in which something of these operations waits: from
# one to the next over the index of waiting areas. Then no more of the running areas is
# counted than may run.
NEXT = """
    WITH RECURSIVE waiting (operation_type, organization_id) AS (
        SELECT operation, (SELECT area.organization_id FROM jobs_generationarea area
                            WHERE area.status = 'pending' AND area.operation_type = operation
                            ORDER BY area.organization_id LIMIT 1)
          FROM unnest(%(operations)s::text[]) AS operation
         UNION ALL
        SELECT waiting.operation_type,
               (SELECT area.organization_id FROM jobs_generationarea area
                 WHERE area.status = 'pending' AND area.operation_type = waiting.operation_type
                   AND area.organization_id > waiting.organization_id
                 ORDER BY area.organization_id LIMIT 1)
          FROM waiting WHERE waiting.organization_id IS NOT NULL)
    SELECT queue.organization_id FROM jobs_organizationqueue queue
     WHERE queue.organization_id IN (SELECT organization_id FROM waiting)
       AND (SELECT count(*) FROM (SELECT FROM jobs_generationarea running
                                   WHERE running.organization_id = queue.organization_id
                                     AND running.status = 'processing'
                                   LIMIT queue.concurrency) AS counted) < queue.concurrency
     ORDER BY queue.last_claimed_at NULLS FIRST, queue.organization_id
     LIMIT 1 FOR NO KEY UPDATE OF queue
"""

# What waits longest in one organization: the first of each operation, and of these the first.
OLDEST = """
    SELECT oldest.id, oldest.job_id
      FROM unnest(%(operations)s::text[]) AS operation
     CROSS JOIN LATERAL (
           SELECT area.id, area.job_id FROM jobs_generationarea area
            WHERE area.status = 'pending' AND area.operation_type = operation
              AND area.organization_id = %(organization)s
            ORDER BY area.id LIMIT 1) AS oldest
     ORDER BY oldest.id LIMIT 1
"""


def claim_area(*, operations: Sequence[str], worker: str) -> GenerationArea | None:
    """
    Take what waits longest where it is longest anybody's turn; None if there is nothing.

    The area is the caller's alone until `claimed_until`, and longer if he renews his claim.
    """
    for turn in range(TURNS):
        # First past those who are being served; then in line behind them.
        organization_id, area = _claim_next(operations, worker, is_patient=turn > 0)
        if area is not None:
            return area
        if organization_id is None and turn > 0:
            return None
    return None


@transaction.atomic
def _claim_next(
    operations: Sequence[str], worker: str, *, is_patient: bool
) -> tuple[UUID | None, GenerationArea | None]:
    """Return whose turn it was, and his area, unless another was quicker."""
    with connection.cursor() as cursor:
        how = "" if is_patient else " SKIP LOCKED"
        cursor.execute(NEXT + how, {"operations": list(operations)})
        found = cursor.fetchone()
        if found is None:
            return None, None
        (organization_id,) = found
        if not _has_room(organization_id):
            return organization_id, None
        cursor.execute(OLDEST, {"operations": list(operations), "organization": organization_id})
        oldest = cursor.fetchone()
    if oldest is None:
        return organization_id, None
    area_id, job_id = oldest
    return organization_id, _take(area_id, job_id, worker)


def _has_room(organization_id: UUID) -> bool:
    """
    Tell whether one more may run there, and note that it was served.

    Asked again under the lock, in a statement of its own: whoever we waited for may have
    taken the last place, and the plan may have changed.
    """
    organization = Organization.objects.get(pk=organization_id)
    allowed = concurrent_jobs(organization) or CONCURRENCY
    running = GenerationArea.objects.filter(organization=organization, status="processing")
    has_room = running.values("pk")[:allowed].count() < allowed
    queues = OrganizationQueue.objects.filter(organization=organization)
    if has_room:
        queues.update(concurrency=allowed, last_claimed_at=Now())
    else:
        queues.update(concurrency=allowed)
    return has_room


def _take(area_id: UUID, job_id: UUID, worker: str) -> GenerationArea | None:
    """Take the area, unless its job was cancelled or has failed since we looked, or is overdue."""
    job = lock_job(job_id)
    if job.deadline <= database_now():  # the sweep may be late; nobody works in vain
        _fail_overdue(job)
        return None
    taken = GenerationArea.objects.filter(pk=area_id, status="pending").update(
        status="processing",
        claim=ids.new_id(),
        claimed_until=Now() + LEASE,
        claims=F("claims") + 1,
        worker=worker[:100],
        progress=0,
        started_at=Coalesce("started_at", Now()),
    )
    if not taken:
        return None
    GenerationJob.objects.filter(pk=job_id, status="pending").update(
        status="processing", started_at=Coalesce("started_at", Now())
    )
    areas = GenerationArea.objects.select_related("organization", "job", "upload")
    return areas.get(pk=area_id)


def _fail_overdue(job: GenerationJob) -> None:
    """Fail a locked job; where that cannot be done, its turn is over all the same."""
    try:
        with transaction.atomic():
            end_areas(job, locked_areas(job, UNFINISHED), TOO_LATE)
    except Exception:  # whatever one job breaks on, the turn of others comes; the sweep tries again
        logger.exception("overdue_job_not_failed", job=job.public_id)


def renew_claim(*, area: GenerationArea, claim: UUID, progress: int | None = None) -> bool:
    """
    Keep an area for another lease and write down how far it is; tell whether it is still ours.

    Also after the lease ran out, as long as nobody else has it.
    """
    fields = {} if progress is None else {"progress": max(0, min(progress, 99))}
    held = GenerationArea.objects.filter(pk=area.pk, claim=claim, status="processing")
    return bool(held.update(claimed_until=Now() + LEASE, **fields))
