"""How many members an organization may have."""

from django.db import transaction

from apps.rbac.errors import MemberLimitReached
from apps.rbac.models import UserRole
from apps.rbac.selectors import seats_of
from apps.tenants.models import Organization, User
from apps.tenants.services.organizations import lock_organization


@transaction.atomic
def take_seat(*, organization: Organization, user: User) -> None:
    """
    Check that there is room for this person; one who belongs already needs none.

    Locks the organization until the transaction ends, so that of two who join at once the
    second counts the first.

    :raises MemberLimitReached: if there is none.
    """
    locked = lock_organization(organization)
    if UserRole.objects.filter(organization=locked, user=user).exists():
        return
    seats = seats_of(locked)
    if seats.limit is not None and seats.members >= seats.limit:
        raise MemberLimitReached(limit=seats.limit, members=seats.members, invited=0)


def check_seat_to_offer(organization: Organization) -> None:
    """
    Check that one more invitation could be accepted; the caller holds the organization's lock.

    Open invitations count: nobody is sent a link that only says that there is no room. Joining
    counts members alone, since the one who joins is among the invited.

    :raises MemberLimitReached: if every seat is taken or offered.
    """
    seats = seats_of(organization)
    if seats.limit is not None and seats.members + seats.invited >= seats.limit:
        raise MemberLimitReached(limit=seats.limit, members=seats.members, invited=seats.invited)
