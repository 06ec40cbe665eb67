"""Read how many members an organization may have, and has."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.clock import database_now
from apps.rbac.models import Invitation, UserRole
from apps.rbac.permissions import WITHOUT_SEAT
from apps.rbac.selectors.invitations import invitations_in, invitations_of
from apps.rbac.selectors.people import members_of
from apps.tenants.models import Organization, User

NEEDS_NONE = Q(role__is_system_role=True, role__name__in=WITHOUT_SEAT)


@dataclass(frozen=True)
class Seats:
    """The seats of an organization: a member has one, an open invitation offers one."""

    members: int
    invited: int
    limit: int | None  # None: as many as come


def seats_of(organization: Organization) -> Seats:
    """
    Return the seats; whoever acts on them holds the organization's lock.

    Who only spends what a partner gave him has none, and an invitation to that offers none.
    """
    pending = invitations_in(
        invitations_of(organization), Invitation.Status.PENDING, database_now()
    )
    seated = UserRole.objects.filter(~NEEDS_NONE, user=OuterRef("pk"), organization=organization)
    return Seats(
        members=members_of(organization).filter(Exists(seated)).count(),
        invited=pending.exclude(NEEDS_NONE).count(),
        limit=organization.max_users,
    )


def seat_of(organization: Organization, user: User) -> QuerySet[UserRole]:
    """Return the roles for which a person has a seat in the organization, if he has any."""
    return UserRole.objects.filter(~NEEDS_NONE, organization=organization, user=user)
