"""Jobs as the templates want them: plain values, no queries."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.urls import reverse

from apps.core.ids import encode
from apps.jobs import selectors
from apps.jobs.models import Attempt, GenerationArea, GenerationJob
from apps.jobs.runners.protocol import Runner
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services import links
from apps.tenants.models import Organization

ERROR_TITLES = {
    "single_colour": "This picture cannot be restyled",
    "upload_gone": "The picture is gone",
    "gave_up": "The work did not finish",
    "deadline_exceeded": "It took too long",
}
PAYMENTS = {"plan": "Covered by the plan", "trial": "Trial credits", "credits": "Credits"}
PROGRESS_STEPS = (1, 1, 2, 3, 5, 8)  # seconds between two looks at a job, longer and longer


def job_line(job: GenerationJob, organization: Organization) -> dict[str, Any]:
    """Return one job for a list."""
    found = (links.result_link(area) for area in job.areas.all())
    shown = next(filter(None, found), None)
    return {
        **shared_story(job),
        "cost": job.cost,
        "refunded": job.refunded,
        "payment_label": PAYMENTS.get(job.payment_type, ""),
        "submitted_by": job.user.get_full_name(),
        "thumbnail_url": shown.url if shown else "",
    }


def job_story(
    job: GenerationJob, organization: Organization, attempts: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return all that a job's own page shows; the attempts lead to charges and refunds."""
    areas = list(job.areas.all())
    again = [area for area in areas if area.status == "failed"] if job.is_finished else []
    return {
        **job_line(job, organization),
        "progress_label": f"{selectors.progress_of(job)} %" if job.status == "processing" else "",
        "areas": [area_story(area, organization) for area in areas],
        "ended_areas": job.completed_areas + job.failed_areas + job.cancelled_areas,
        "waited": _between(job.created_at, job.started_at),
        "attempts": attempts,
        "deadline": None if job.is_finished else job.deadline,
        "can_cancel": any(area.status == "pending" for area in areas),
        "to_retry": len(again),
    }


def area_story(area: GenerationArea, organization: Organization) -> dict[str, Any]:
    """Return what the page of its job shows of one area."""
    original, result = links.upload_link(area.upload), links.result_link(area)
    return {
        **shared_area(area),
        "price": area.price,
        "refunded": area.refunded,
        "attempt_number": area.attempt_number,
        "error_title": ERROR_TITLES.get(area.error_code, "This picture failed"),
        "error_text": area.error_message,
        "original_url": original.url if original else "",
        "result_url": result.url if result else "",
        "download_url": _area_url("jobs:area_result", area, organization) if result else "",
        "result_expires_at": area.result_expires_at,
        "is_result_gone": bool(area.result) and result is None,
    }


def attempt_lines(
    attempts: Iterable[Attempt], organization: Organization, transaction_ids: dict[str, str]
) -> list[dict[str, Any]]:
    """Return what was paid for each try, with the addresses of both in the ledger."""
    return [
        {
            "position": one.area.position,
            "number": one.number,
            "outcome": one.get_outcome_display(),
            "payment_label": PAYMENTS[one.payment_type],
            "cost": one.cost,
            "refunded": one.refunded,
            "is_held": one.hold_id is not None and one.outcome == Attempt.Outcome.OPEN,
            "charge_url": _ledger_url(organization, transaction_ids.get(one.charge_reference)),
            "refund_url": _ledger_url(organization, transaction_ids.get(one.refund_reference))
            if one.refunded
            else "",
        }
        for one in attempts
    ]


def shared_story(job: GenerationJob) -> dict[str, Any]:
    """Return what a person outside sees of a job: neither what it cost, nor who asked for it."""
    runner: Runner | None = RUNNERS.get(job.operation_type)
    areas = list(job.areas.all())
    labels = {_style_label(area) for area in areas}
    return {
        "id": job.public_id,
        "operation_label": runner.name if runner else _external_name(job),
        "style_label": labels.pop() if len(labels) == 1 else f"{len(labels)} styles",
        "area_count": job.area_count,
        "completed_areas": job.completed_areas,
        "failed_areas": job.failed_areas,
        "cancelled_areas": job.cancelled_areas,
        "status": job.status,
        "progress": selectors.progress_of(job),
        "created_at": job.created_at,
        "duration": _between(job.started_at, job.completed_at),
    }


def shared_area(area: GenerationArea) -> dict[str, Any]:
    """Return what a person outside sees of an area."""
    size = f"{area.result_width:,} × {area.result_height:,}" if area.result_width else ""
    kind = area.result_content_type.rpartition("/")[2].upper()
    return {
        "position": area.position,
        "style_label": _style_label(area),
        "status": area.status,
        "progress": area.progress,
        "result_size": f"{size}, {kind}" if size else "",
    }


def _external_name(job: GenerationJob) -> str:
    """Return what selectors.with_names told of the job, or the code of what nobody does."""
    return getattr(job, "operation_name", None) or job.operation_type


def _style_label(area: GenerationArea) -> str:
    runner: Runner | None = RUNNERS.get(area.operation_type)
    return runner.label(area.parameters) if runner else ""


def pause_before_look(number: int, job: GenerationJob) -> int | None:
    """Return the seconds until the page asks again, longer each time; None when it is over."""
    if job.is_finished:
        return None
    return PROGRESS_STEPS[min(number, len(PROGRESS_STEPS) - 1)]


def _between(start: Any, end: Any) -> timedelta | None:
    return end - start if start and end else None


def _area_url(view: str, area: GenerationArea, organization: Organization) -> str:
    job_id = encode(GenerationJob.PREFIX, area.job_id)
    return reverse(view, args=[organization.slug, job_id, area.position])


def _ledger_url(organization: Organization, transaction_id: str | None) -> str:
    if transaction_id is None:
        return ""
    return reverse("credits:transaction", args=[organization.slug, transaction_id])
