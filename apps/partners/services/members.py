"""Let people into a programme, each by his address, once."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.core.bulk import insert_many
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.credits.services.holders import open_member_wallets
from apps.partners import selectors
from apps.partners.errors import InvalidMemberAddress, SeatsTaken
from apps.partners.models import MemberGroup, Partner, PartnerMember
from apps.partners.models.addresses import normalized
from apps.partners.services.programmes import lock_active
from apps.tenants.models import User
from apps.tenants.services import audit


@dataclass(frozen=True)
class NewMember:
    """Somebody who shall belong to a programme."""

    email: str
    first_name: str = ""
    last_name: str = ""
    group: MemberGroup | None = None


@transaction.atomic
def add_members(
    *, partner: Partner, people: Sequence[NewMember], by: User | None = None
) -> list[PartnerMember]:
    """
    Return the member of each of these people, in order; who is none yet is invited.

    Each gets an empty wallet of his own. Who left is asked back; who is there stays as he is.
    The number of queries does not depend on the number of people.

    :raises PartnerSuspended: if staff have suspended the programme.
    :raises InvalidMemberAddress: if one of the addresses is none.
    :raises SeatsTaken: if the terms allow fewer members; nobody is added.
    """
    locked = lock_active(partner)
    addresses = [_address(person.email) for person in people]
    wanted = dict(zip(addresses, people, strict=True))
    rows = PartnerMember.objects.filter(partner=locked, email__in=wanted).select_related("group")
    present = {member.email: member for member in rows}
    back = [one for one in present.values() if one.status == PartnerMember.Status.LEFT]
    coming = [email for email in wanted if email not in present]
    _check_seats(locked, len(back) + len(coming))
    _ask_back(back, by)
    made = _invite(locked, {email: wanted[email] for email in coming}, by)
    present |= {member.email: member for member in made}
    if changed := [*back, *made]:
        audit.record(
            action="partner.invite_members",
            organization=locked.organization,
            object_id=locked.public_id,
            after={"members": len(changed), "first": changed[0].public_id},
        )
        enqueue("core.send_mails", queue="programme_claims")
    return [present[address] for address in addresses]


@inside_transaction
def lock_member(member: PartnerMember) -> PartnerMember:
    """Return the member as he is now, locked; the caller holds the programme's lock."""
    rows = PartnerMember.objects.select_for_update(of=("self",), no_key=True)
    fixed = rows.select_related("organization", "partner")  # what changes is read after the wait
    locked: PartnerMember = fixed.prefetch_related("wallet", "user", "group").get(pk=member.pk)
    return locked


def _address(text: str) -> str:
    try:
        return normalized(text)
    except ValueError as error:
        raise InvalidMemberAddress(value=text, problem=str(error)) from error


def _check_seats(partner: Partner, wanted: int) -> None:
    limit = selectors.terms_of(partner).seat_limit
    if limit is None or not wanted:
        return
    taken = selectors.seats_taken(partner)
    if taken + wanted > limit:
        raise SeatsTaken(limit=limit, members=taken, wanted=wanted)


def _ask_back(members: Sequence[PartnerMember], by: User | None) -> None:
    now = database_now()
    for member in members:
        member.status = PartnerMember.Status.INVITED
        member.user, member.claimed_at, member.left_at = None, None, None
        member.invited_by, member.mail_due_at, member.mail_attempts = by, now, 0
        member.reminders, member.reminded_at = 0, None
        member.digest, member.link_expires_at = None, None  # the old link opens nothing
    PartnerMember.objects.bulk_update(
        members,
        [
            *("status", "user", "claimed_at", "left_at", "reminders", "reminded_at"),
            *("invited_by", "mail_due_at", "mail_attempts", "digest", "link_expires_at"),
        ],
    )


def _invite(partner: Partner, people: dict[str, NewMember], by: User | None) -> list[PartnerMember]:
    now = database_now()
    wallets = open_member_wallets(organization=partner.organization, count=len(people))
    return insert_many(
        PartnerMember(
            organization=partner.organization,
            partner=partner,
            wallet=wallet,
            email=email,
            first_name=person.first_name,
            last_name=person.last_name,
            group=person.group,
            invited_by=by,
            mail_due_at=now,
        )
        for (email, person), wallet in zip(people.items(), wallets, strict=True)
    )
