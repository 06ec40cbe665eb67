"""
The one door through which an area ends, or goes back to those that wait.

In one transaction and always in this order: lock the job, look whether the claim still
holds, settle exactly the present attempt, end the area, and with the last area the job.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, Q, Sum

from apps.core import ids, queue
from apps.core.clock import database_now
from apps.core.db import inside_transaction, outside_transaction
from apps.jobs.models import Attempt, GenerationArea, GenerationJob
from apps.jobs.models.areas import MOST_CLAIMS
from apps.jobs.models.jobs import Status
from apps.jobs.runners.protocol import Result
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services import paying
from apps.tenants.services import outbox


@dataclass(frozen=True)
class Ending:
    """How an area ends: with a result, or with a reason and all of its credits back."""

    status: str
    why: str = ""  # in the ledger, beside what is given back
    is_our_fault: bool = True
    fields: dict[str, Any] = field(default_factory=dict)


def failure(code: str, message: str) -> Ending:
    """Return the end of what failed, with a code for machines and a sentence for people."""
    fields = {"error_code": code[:50], "error_message": message}
    return Ending(Status.FAILED, "The job failed", fields=fields)


TOO_LATE = failure("deadline_exceeded", "It had not ended by its deadline.")
GAVE_UP = failure("gave_up", f"It did not finish in {MOST_CLAIMS} tries of a worker.")
CANCELLED = Ending(Status.CANCELLED, "Cancelled before it began", is_our_fault=False)


@outside_transaction
def complete_area(*, area: GenerationArea, claim: UUID, result: Result) -> bool:
    """Keep the result and the payment; tell whether the claim still held, and in time."""
    extension = result.content_type.rpartition("/")[2]
    # Named after the claim, by which a worker that asks again is told, and after nothing that
    # can be twice: two who end it at once never share a file, of which one deletes his.
    name = default_storage.save(
        f"results/{area.organization_id}/{area.id}-{claim}-{ids.new_id()}.{extension}",
        ContentFile(result.content),
    )
    fields = {
        "progress": 100,
        "result": name,
        "result_content_type": result.content_type,
        "result_width": result.width,
        "result_height": result.height,
        "result_expires_at": database_now() + timedelta(days=settings.RESULT_DAYS),
    }
    ended = _end_claimed(area, claim, Ending(Status.COMPLETED, fields=fields))
    # Not after an exception: the answer to COMMIT may have been lost, and the file is needed.
    if ended != Status.COMPLETED:
        default_storage.delete(name)
    return ended == Status.COMPLETED


def fail_area(*, area: GenerationArea, claim: UUID, code: str, message: str) -> bool:
    """End the area and give its credits back, both or neither; tell whether the claim held."""
    return _end_claimed(area, claim, failure(code, message)) is not None


@transaction.atomic
def give_back(*, area: GenerationArea, claim: UUID, is_lost: bool = False) -> bool:
    """
    Let another worker have the area, with nothing paid or given back; tell if the claim held.

    What was taken too often fails instead: it may be what takes its workers down. Of a claim
    that seemed lost (`is_lost`) it is asked again whether its lease has run out.
    """
    job = lock_job(area.job_id)
    held = _held(area, claim)
    if held is None:
        return False
    assert held.claimed_until is not None  # the database keeps it so while there is a claim
    if is_lost and held.claimed_until > database_now():
        return False
    if held.claims >= MOST_CLAIMS:
        end_areas(job, [held], GAVE_UP)
        return True
    held.status, held.progress = Status.PENDING, 0
    held.claim = held.claimed_until = None
    held.save(update_fields=["status", "progress", "claim", "claimed_until", "updated_at"])
    if held.operation_type in RUNNERS:
        queue.enqueue("jobs.work")
    return True


@transaction.atomic
def _end_claimed(area: GenerationArea, claim: UUID, ending: Ending) -> str | None:
    """End an area as its worker says, if he still has it; return how it ended, or None."""
    job = lock_job(area.job_id)
    held = _held(area, claim)
    if held is None:
        return None
    if ending.status == Status.COMPLETED and job.deadline <= database_now():
        ending = TOO_LATE
    end_areas(job, [held], ending)
    return ending.status


@inside_transaction
def lock_job(job_id: UUID) -> GenerationJob:
    """Lock a job: before any of its areas, so that nobody waits for another in a circle."""
    jobs = GenerationJob.objects.select_for_update(no_key=True, of=("self",))
    return jobs.select_related("organization", "wallet").get(pk=job_id)


@inside_transaction
def locked_areas(job: GenerationJob, statuses: Collection[str]) -> list[GenerationArea]:
    """Lock the areas of a locked job that stand so, and return them in order."""
    areas = GenerationArea.objects.select_for_update(no_key=True, of=("self",))
    found = areas.filter(job=job, status__in=statuses).select_related("upload")
    return list(found.order_by("position"))


def _held(area: GenerationArea, claim: UUID) -> GenerationArea | None:
    """Return the area, locked, if this claim still has it."""
    areas = GenerationArea.objects.select_for_update(no_key=True, of=("self",))
    return areas.filter(pk=area.pk, claim=claim, status=Status.PROCESSING).first()


@inside_transaction
def end_areas(job: GenerationJob, areas: Sequence[GenerationArea], ending: Ending) -> None:
    """End unfinished areas of a locked job in the same way, and settle what paid for them."""
    open_attempts = Attempt.objects.filter(area__in=areas, outcome=Attempt.Outcome.OPEN)
    attempts = {one.area_id: one for one in open_attempts.select_related("hold", "credit_event")}
    for area in areas:
        attempt = attempts[area.pk]
        if ending.status == Status.COMPLETED:
            size = {name: ending.fields[f"result_{name}"] for name in ("width", "height")}
            paying.keep_payment(attempt, **size)
        else:
            outcome = Attempt.Outcome(ending.status)
            paying.give_back(
                attempt, job, outcome=outcome, is_our_fault=ending.is_our_fault, why=ending.why
            )
        area.status, area.price, area.completed_at = ending.status, attempt.cost, database_now()
        area.claim = area.claimed_until = None
        for name, value in ending.fields.items():
            setattr(area, name, value)
        area.save()
    take_stock(job)


@inside_transaction
def take_stock(job: GenerationJob) -> None:
    """
    Count the areas of a locked job and sum what they cost; end it if none is left.

    Counted each time anew, so that no count can ever be one off.
    """
    areas = GenerationArea.objects.filter(job=job)
    found = areas.aggregate(
        **{status: Count("pk", filter=Q(status=status)) for status in Status.values}
    )
    job.completed_areas, job.failed_areas = found["completed"], found["failed"]
    job.cancelled_areas = found["cancelled"]
    paid = Attempt.objects.filter(area__job=job).aggregate(cost=Sum("cost"), back=Sum("refunded"))
    job.cost, job.refunded = paid["cost"], paid["back"]
    has_ended = not job.is_finished and not found["pending"] and not found["processing"]
    if has_ended:
        job.completed_at = database_now()
        job.status = _end_of(found)
    job.save()
    if has_ended:
        _tell(job)


def _end_of(areas: Mapping[str, int]) -> Status:
    """Return how a job ends of whose areas so many ended in each way."""
    for status in (Status.COMPLETED, Status.FAILED):
        if areas[status]:
            return status
    return Status.CANCELLED


def _tell(job: GenerationJob) -> None:
    outbox.emit(
        organization=job.organization,
        event_type=f"job.{job.status}",
        object_id=job.public_id,
        data={
            "id": job.public_id,
            "object": "job",
            "operation": job.operation_type,
            "status": job.status,
            "area_count": job.area_count,
            "completed_areas": job.completed_areas,
            "failed_areas": job.failed_areas,
            "cancelled_areas": job.cancelled_areas,
            "cost": job.cost,
            "refunded": job.refunded,
            "created_at": job.created_at,
            "completed_at": job.completed_at,
        },
    )
