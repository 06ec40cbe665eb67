"""What jobs tells the apps below when it starts, and does when it hears news from them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.dispatch import receiver

from apps.core import personal
from apps.core.ratelimits import policies
from apps.credits.selectors import coverage
from apps.jobs import selectors
from apps.jobs.errors import JobsUnderWay
from apps.jobs.models import BlobUpload, GenerationJob, WorkerKey
from apps.jobs.services import uploads
from apps.rbac.shareables import Shareable, register
from apps.tenants.models import Organization, User
from apps.tenants.signals import organization_closed, organization_closing, person_erased

register(
    Shareable(
        model=GenerationJob,
        needs="jobs.view",
        noun="job",
        page="jobs:job",
        shared_page="shared_jobs:job",
        is_seen_by=selectors.is_seen_by,
    )
)
policies.register(selectors.rate_limits, coverage.plan_of)


@receiver(organization_closing)
def jobs_under_way(organization: Organization, **kwargs: Any) -> JobsUnderWay | None:
    """Return what stands against closing, if a job waits or runs."""
    unfinished = GenerationJob.objects.filter(
        organization=organization,
        status__in=[GenerationJob.Status.PENDING, GenerationJob.Status.PROCESSING],
    )
    jobs = unfinished.count()
    return JobsUnderWay(jobs=jobs) if jobs else None


@receiver(organization_closed)
def refuse_while_jobs_run(organization: Organization, **kwargs: Any) -> None:
    """
    Keep an organization from closing while a job may still be refunded into its wallet.

    Credits has closed the wallets before: a job that was being submitted meanwhile is either
    seen here, or finds the wallet closed.

    :raises JobsUnderWay: if a job waits or runs.
    """
    if refusal := jobs_under_way(organization):
        raise refusal


@receiver(person_erased)
def forget_uploads(user: User, **kwargs: Any) -> None:
    """Let the pictures go that he uploaded, and what he called them."""
    uploads.forget_uploads_of(user=user)


def jobs_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the jobs that he submitted."""
    jobs = GenerationJob.objects.filter(user=user).order_by("created_at", "id")
    return jobs.values("id", "organization__slug", "operation_type", "status", "cost", "created_at")


def uploads_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the pictures that he uploaded and that are still kept."""
    pictures = BlobUpload.objects.filter(user=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = pictures.values(
        *("id", "organization__slug", "filename", "content_type", "size"),
        *("created_at", "expires_at"),
    )
    return found


def worker_keys_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the keys of workers that he made as a member of staff, never a digest."""
    keys = WorkerKey.objects.filter(created_by=user).order_by("created_at", "id")
    return keys.values("id", "name", "hint", "operations", "created_at", "revoked_at")


personal.register("jobs", jobs_of)
personal.register("worker_keys", worker_keys_of)
personal.register("uploads", uploads_of)
