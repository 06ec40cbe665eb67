"""A role of Acme's own."""

from apps.rbac.services.assignments import give_role
from apps.rbac.services.custom_roles import create_role
from apps.tenants.models import Organization, User


def make_a_role(organization: Organization, owner: User, member: User) -> None:
    """Let Acme have a role that the system does not bring, and one member who has it."""
    role = create_role(
        by=owner,
        organization=organization,
        name="Art director",
        description="Submits jobs, and sees what they cost.",
        codes=["jobs.view", "jobs.submit", "jobs.cancel", "credits.view"],
    )
    give_role(by=owner, user=member, organization=organization, role=role)
