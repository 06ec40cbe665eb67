"""What organizations of the demo can show: a limit, an offer, a personal one, a closed one."""

from datetime import datetime, timedelta

from apps.billing.services import sandboxes
from apps.core import clock, context
from apps.rbac.services.ownership import request_transfer
from apps.tenants.models import Organization, User
from apps.tenants.services import organizations, standing


def show_life(now: datetime, acme: Organization, users: dict[str, User]) -> None:
    """Let the owner offer Acme to a member, and close another organization of his."""
    owner, auditor = users["owner@acme.test"], users["auditor@acme.test"]
    organizations.set_member_limit(organization=acme, max_users=25)
    organizations.create_organization(
        name=auditor.full_name, owner=auditor, is_personal=True, with_trial=False
    )
    with context.acting(actor=f"user:{owner.public_id}"):
        organizations.update_organization(
            organization=acme, billing_email="billing@acme.test", time_zone="Europe/Berlin"
        )
        request_transfer(organization=acme, from_user=owner, to_user=users["billing@acme.test"])
        workshop = organizations.create_organization(
            name="Old Workshop", owner=owner, with_trial=False
        )
        with clock.moved_to(now - timedelta(days=3)):
            standing.close_organization(
                organization=workshop, confirmation=workshop.slug, reason="Merged into Acme"
            )


def let_clock_stand(organization: Organization) -> None:
    """Make an organization a sandbox, unless the demo was given a Stripe with real money."""
    if sandboxes.are_possible():
        sandboxes.begin(organization=organization, reason="To see what a renewal does.")
