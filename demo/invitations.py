"""Invitations in every state, for the demo."""

from datetime import datetime, timedelta

from apps.core import clock, context
from apps.rbac.selectors import find_role
from apps.rbac.services import invitations
from apps.tenants.models import Organization, User

ADDRESSES = {  # days ago, and what became of it
    "finn@acme.test": (9, "expired"),
    "rhea@acme.test": (4, "revoked"),
    "noor@acme.test": (0, "open"),
}


def invite_people(now: datetime, organization: Organization, owner: User) -> None:
    """Leave one invitation that is open, one past its time and one that was revoked."""
    role = find_role(organization, "member")
    for email, (days_ago, state) in ADDRESSES.items():
        with (
            clock.moved_to(now - timedelta(days=days_ago, minutes=20)),
            context.acting(actor=f"user:{owner.public_id}"),
        ):
            invitation = invitations.invite(
                organization=organization, email=email, role=role, by=owner
            )
            if state == "revoked":
                invitations.revoke(invitation=invitation)
