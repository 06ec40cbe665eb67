"""Each job there is becomes a job with one area, and what it paid becomes its first attempt."""

from datetime import timedelta
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

CHUNK = 500  # jobs at a time
TIME = timedelta(hours=12)
MOVED = [
    "organization_id",
    "operation_type",
    "parameters",
    "upload_id",
    "status",
    "payment_type",
    "progress",
    "claim",
    "claimed_until",
    "result",
    "result_content_type",
    "result_width",
    "result_height",
    "error_code",
    "error_message",
    "started_at",
    "completed_at",
    "created_at",
]
OUTCOMES = {"pending": "open", "processing": "open"}
COUNTED = {
    "completed": "completed_areas",
    "failed": "failed_areas",
    "cancelled": "cancelled_areas",
}


def move(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add area, attempt and place in the queue for every job, and count it as one area."""
    Job, Area = apps.get_model("jobs", "GenerationJob"), apps.get_model("jobs", "GenerationArea")
    Attempt, Queue = apps.get_model("jobs", "Attempt"), apps.get_model("jobs", "OrganizationQueue")
    jobs = Job.objects.order_by("id")
    last = None
    while chunk := list((jobs.filter(pk__gt=last) if last else jobs)[:CHUNK]):
        last = chunk[-1].pk
        areas = [_area_of(job, Area) for job in chunk]
        Area.objects.bulk_create(areas)
        pairs = list(zip(chunk, areas, strict=True))
        Attempt.objects.bulk_create([_attempt_of(job, area, Attempt) for job, area in pairs])
        Queue.objects.bulk_create(
            [Queue(organization_id=one) for one in {job.organization_id for job in chunk}],
            ignore_conflicts=True,
        )
        for job in chunk:
            _count(job)
        Job.objects.bulk_update(chunk, ["deadline", "refunded", *COUNTED.values()])


def _area_of(job: Any, Area: Any) -> Any:
    return Area(
        job_id=job.pk,
        position=1,
        attempt_number=1,
        price=job.cost,
        claims=min(job.attempts, 5),
        **{name: getattr(job, name) for name in MOVED},
    )


def _attempt_of(job: Any, area: Any, Attempt: Any) -> Any:
    return Attempt(
        organization_id=job.organization_id,
        area_id=area.pk,
        number=1,
        wallet_id=job.wallet_id,
        credit_event_id=job.credit_event_id,
        charge_reference=job.charge_reference,
        cost=job.cost,
        payment_type=job.payment_type,
        outcome=OUTCOMES.get(job.status, job.status),
        refunded=_refunded(job),
        created_at=job.created_at,
        ended_at=job.completed_at,
    )


def _count(job: Any) -> None:
    job.refunded = _refunded(job)
    # What has not ended gets the time of a new job; of the rest nobody asks any more.
    job.deadline = (timezone.now() if job.completed_at is None else job.created_at) + TIME
    if job.status in COUNTED:
        setattr(job, COUNTED[job.status], 1)


def _refunded(job: Any) -> int:
    return job.cost if job.status in ("failed", "cancelled") else 0


class Migration(migrations.Migration):
    dependencies = [("jobs", "0010_areas_and_attempts")]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
