"""How many members an organization may have."""

from collections.abc import Iterable

from django.db import transaction

from apps.rbac.errors import MemberLimitReached
from apps.rbac.models import Role
from apps.rbac.permissions import WITHOUT_SEAT
from apps.rbac.selectors import seat_of, seats_of
from apps.tenants.models import Organization, User
from apps.tenants.services.organizations import lock_organization


def needs_seat(role: Role) -> bool:
    """Tell whether whoever has this role takes a seat of the organization."""
    return not (role.is_system_role and role.name in WITHOUT_SEAT)


@transaction.atomic
def take_seat(*, organization: Organization, user: User, roles: Iterable[Role]) -> None:
    """
    Check that there is room for this person with these roles; one who has a seat needs none.

    Locks the organization until the transaction ends, so that of two who join at once the
    second counts the first.

    :raises MemberLimitReached: if there is none.
    """
    locked = lock_organization(organization)
    if not any(map(needs_seat, roles)) or seat_of(locked, user).exists():
        return
    seats = seats_of(locked)
    if seats.limit is not None and seats.members >= seats.limit:
        raise MemberLimitReached(limit=seats.limit, members=seats.members, invited=0)


def check_seat_to_offer(organization: Organization, role: Role) -> None:
    """
    Check that one more invitation could be accepted; the caller holds the organization's lock.

    Open invitations count: nobody is sent a link that only says that there is no room. Joining
    counts members alone, since the one who joins is among the invited.

    :raises MemberLimitReached: if every seat is taken or offered.
    """
    if not needs_seat(role):
        return
    seats = seats_of(organization)
    if seats.limit is not None and seats.members + seats.invited >= seats.limit:
        raise MemberLimitReached(limit=seats.limit, members=seats.members, invited=seats.invited)
