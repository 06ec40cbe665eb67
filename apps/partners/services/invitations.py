"""Invite people into a programme, some at once; a file brings more (uploads)."""

from collections.abc import Sequence

from apps.partners.errors import TooManyMembers
from apps.partners.models import Partner, PartnerMember
from apps.partners.services.members import NewMember, add_members
from apps.tenants.models import User

MOST_AT_ONCE = 200


def invite(*, partner: Partner, people: Sequence[NewMember], by: User) -> list[PartnerMember]:
    """
    Return the member of each of these people, in order; who is none yet gets a link by mail.

    :raises TooManyMembers: if there are more than MOST_AT_ONCE.
    :raises PartnerSuspended: if staff have suspended the programme.
    :raises InvalidMemberAddress: if one of the addresses is none; nobody is invited.
    :raises SeatsTaken: if the terms allow fewer members; nobody is invited.
    """
    if len(people) > MOST_AT_ONCE:
        raise TooManyMembers(most=MOST_AT_ONCE)
    return add_members(partner=partner, people=people, by=by)
