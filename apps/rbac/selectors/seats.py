"""Read how many members an organization may have, and has."""

from dataclasses import dataclass

from apps.core.clock import database_now
from apps.rbac.models import Invitation
from apps.rbac.selectors.invitations import invitations_in, invitations_of
from apps.rbac.selectors.people import members_of
from apps.tenants.models import Organization


@dataclass(frozen=True)
class Seats:
    """The seats of an organization: a member has one, an open invitation offers one."""

    members: int
    invited: int
    limit: int | None  # None: as many as come


def seats_of(organization: Organization) -> Seats:
    """Return the seats; whoever acts on them holds the organization's lock."""
    pending = invitations_in(
        invitations_of(organization), Invitation.Status.PENDING, database_now()
    )
    return Seats(
        members=members_of(organization).count(),
        invited=pending.count(),
        limit=organization.max_users,
    )
