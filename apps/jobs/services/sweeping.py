"""What the clock does for jobs: a lost ring, a dead worker and a missed deadline lose nothing."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.core.clock import now_in_query
from apps.jobs.models import GenerationArea, GenerationJob
from apps.jobs.models.jobs import UNFINISHED
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services import submission
from apps.jobs.services.ending import TOO_LATE, end_areas, give_back, lock_job, locked_areas

logger = structlog.get_logger(__name__)
RING_AGAIN_AFTER = timedelta(seconds=10)
RINGS = 4  # at one sweep; each goes on as long as there is work


def ring_for_waiting_areas() -> int:
    """Ring again where a ring may have been lost; return how often."""
    waiting = GenerationArea.objects.filter(
        status="pending",
        operation_type__in=RUNNERS,  # a ring reaches no worker outside
        updated_at__lte=Now() - RING_AGAIN_AFTER,
    )
    rings = len(waiting.values_list("pk", flat=True)[:RINGS])
    with transaction.atomic():
        submission.ring(rings)
    return rings


def take_back_lost_claims(*, limit: int = 100) -> int:
    """Let others have the areas whose workers are not heard of any more; return how many."""
    lost = GenerationArea.objects.filter(status="processing", claimed_until__lte=Now())
    return _each(_take_back, lost.order_by("claimed_until"), limit)


def fail_what_is_overdue(*, limit: int = 100) -> int:
    """Fail and give back what has not ended by its deadline; return how many jobs that ended."""
    overdue = GenerationJob.objects.filter(status__in=UNFINISHED, deadline__lte=now_in_query())
    return _each(_fail_overdue, overdue.order_by("deadline"), limit)


def _take_back(area: GenerationArea) -> bool:
    assert area.claim is not None
    return give_back(area=area, claim=area.claim, is_lost=True)


@transaction.atomic
def _fail_overdue(job: GenerationJob) -> bool:
    locked = lock_job(job.pk)
    unfinished = locked_areas(locked, UNFINISHED)
    # Looked at again under the lock: it may have ended, or been tried again, meanwhile.
    if not unfinished or locked.deadline != job.deadline:
        return False
    end_areas(locked, unfinished, TOO_LATE)
    return True


def _each[R: (GenerationArea, GenerationJob)](
    deed: Callable[[R], bool], rows: QuerySet[R], limit: int
) -> int:
    """Do it for so many rows, past those for which it cannot be done: these staff learn of."""
    done = 0
    for row in rows[: limit * 10]:
        try:
            done += deed(row)
        except Exception:  # whatever one row breaks on, the others are not to wait for it
            logger.exception("job_not_swept", row=row.public_id)
        if done >= limit:
            break
    return done
