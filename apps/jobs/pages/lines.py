"""Jobs as the templates want them: plain values, no queries."""

from datetime import timedelta
from typing import Any

from django.urls import reverse

from apps.jobs.models import GenerationJob
from apps.jobs.runners.protocol import Runner
from apps.jobs.runners.registry import RUNNERS
from apps.tenants.models import Organization

ERROR_TITLES = {
    "single_colour": "This picture cannot be restyled",
    "upload_gone": "The picture is gone",
    "gave_up": "The job did not finish",
}
PROGRESS_STEPS = (1, 1, 2, 3, 5, 8)  # seconds between two looks at a job, longer and longer


def job_line(job: GenerationJob, organization: Organization) -> dict[str, Any]:
    """Return one job for a list."""
    ended_without = job.status in ("failed", "cancelled")
    result = reverse("jobs:result", args=[organization.slug, job.public_id])
    return {
        **shared_story(job),
        "cost": job.cost,
        "refunded": job.cost if ended_without else 0,
        "submitted_by": job.user.get_full_name(),
        "thumbnail_url": result if job.result else "",
    }


def job_story(
    job: GenerationJob, organization: Organization, transaction_ids: dict[str, str]
) -> dict[str, Any]:
    """Return all that a job's own page shows; the ids lead to its charge and its refund."""
    place = [organization.slug, job.public_id]
    size = f"{job.result_width:,} × {job.result_height:,}" if job.result_width else ""
    kind = job.result_content_type.rpartition("/")[2].upper()
    return {
        **job_line(job, organization),
        "progress_label": f"{job.progress} %" if job.status == "processing" else "",
        "error_title": ERROR_TITLES.get(job.error_code, "The job failed"),
        "error_text": job.error_message,
        "original_url": reverse("jobs:original", args=place) if job.upload_id else "",
        "result_url": reverse("jobs:result", args=place) if job.result else "",
        "result_size": f"{size}, {kind}" if size else "",
        "waited": _between(job.created_at, job.started_at),
        "charge_url": _ledger_url(organization, transaction_ids.get(job.charge_reference)),
        "refund_url": _ledger_url(organization, transaction_ids.get(job.refund_reference)),
        "attempts": job.attempts,
        "can_cancel": job.status == "pending",
    }


def shared_story(job: GenerationJob) -> dict[str, Any]:
    """Return what a person outside sees of a job: neither what it cost, nor who asked for it."""
    runner: Runner | None = RUNNERS.get(job.operation_type)
    styles = {style.code: style.name for style in runner.styles} if runner else {}
    return {
        "id": job.public_id,
        "operation_label": runner.name if runner else job.operation_type,
        "style_label": styles.get(job.parameters.get("style", ""), ""),
        "status": job.status,
        "progress": job.progress,
        "created_at": job.created_at,
        "duration": _between(job.started_at, job.completed_at),
    }


def pause_before_look(number: int, job: GenerationJob) -> int | None:
    """Return the seconds until the page asks again, longer each time; None when it is over."""
    if job.is_finished:
        return None
    return PROGRESS_STEPS[min(number, len(PROGRESS_STEPS) - 1)]


def _between(start: Any, end: Any) -> timedelta | None:
    return end - start if start and end else None


def _ledger_url(organization: Organization, transaction_id: str | None) -> str:
    if transaction_id is None:
        return ""
    return reverse("credits:transaction", args=[organization.slug, transaction_id])
