"""What jobs tells the apps below when it starts, and does when it hears news from them."""

from typing import Any

from django.dispatch import receiver

from apps.jobs.errors import JobsUnderWay
from apps.jobs.models import GenerationJob
from apps.rbac.shareables import Shareable, register
from apps.tenants.models import Organization
from apps.tenants.signals import organization_closed

register(
    Shareable(
        model=GenerationJob,
        needs="jobs.view",
        noun="job",
        page="jobs:job",
        shared_page="shared_jobs:job",
    )
)


@receiver(organization_closed)
def refuse_while_jobs_run(organization: Organization, **kwargs: Any) -> None:
    """
    Keep an organization from closing while a job may still be refunded into its wallet.

    Credits has closed the wallets before: a job that was being submitted meanwhile is either
    seen here, or finds the wallet closed.

    :raises JobsUnderWay: if a job waits or runs.
    """
    unfinished = GenerationJob.objects.filter(
        organization=organization,
        status__in=[GenerationJob.Status.PENDING, GenerationJob.Status.PROCESSING],
    )
    if jobs := unfinished.count():
        raise JobsUnderWay(jobs=jobs)
