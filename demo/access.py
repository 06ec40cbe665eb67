"""A role of Acme's own, and a job that somebody outside may see."""

from datetime import timedelta

from apps.core.clock import database_now
from apps.jobs.models import GenerationJob
from apps.rbac.services.assignments import give_role
from apps.rbac.services.custom_roles import create_role
from apps.rbac.services.sharing import share_object
from apps.tenants.models import Organization, User


def make_a_role(organization: Organization, owner: User, member: User) -> None:
    """Let Acme have a role that the system does not bring, and one member who has it."""
    role = create_role(
        by=owner,
        organization=organization,
        name="Art director",
        description="Submits jobs, and shows them to clients.",
        codes=["jobs.view", "jobs.submit", "jobs.cancel", "shares.view", "shares.manage"],
    )
    give_role(by=owner, user=member, organization=organization, role=role)


def share_a_job(job: GenerationJob, owner: User) -> None:
    """Show one of Acme's jobs to the owner of another organization, for a month."""
    share_object(
        by=owner,
        organization=job.organization,
        object_id=job.public_id,
        email="owner@trial.test",
        expires_at=database_now() + timedelta(days=30),
    )
