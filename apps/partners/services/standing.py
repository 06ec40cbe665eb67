"""What a programme changes of its members: how they are known, if they may spend, that they go."""

from dataclasses import dataclass, replace
from enum import StrEnum

from django.db import transaction

from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.credits.services.holders import set_holder
from apps.credits.services.wallets import change_status
from apps.partners.errors import InvalidMemberAddress, MemberExists, MemberNotThere
from apps.partners.models import MemberGroup, PartnerMember
from apps.partners.models.addresses import normalized
from apps.partners.services.members import lock_member
from apps.partners.services.programmes import lock_partner
from apps.partners.services.settling import settle_member
from apps.rbac.permissions import PROGRAMME_MEMBER
from apps.rbac.services.members import take_away
from apps.rbac.services.roles import system_role
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization

Status = PartnerMember.Status


class Cause(StrEnum):
    """Why somebody leaves a programme."""

    REMOVED = "removed"  # by the partner
    LEFT = "left"  # the organization, by himself or by its people
    ERASED = "erased"


@dataclass(frozen=True)
class Known:
    """How a programme knows a member."""

    email: str
    first_name: str
    last_name: str
    group: MemberGroup | None


def known_of(member: PartnerMember) -> Known:
    """Return how a member is known now, to change some of it by `replace`."""
    return Known(member.email, member.first_name, member.last_name, member.group)


@transaction.atomic
def update_member(*, member: PartnerMember, known: Known) -> PartnerMember:
    """
    Know a member otherwise. Another address of one who has not claimed gets a link of its own.

    Credits stay where they are: in the member's wallet.

    :raises InvalidMemberAddress: if nobody can be written to at the address.
    :raises MemberExists: if another member of the programme has it.
    :raises MemberNotThere: if he has left.
    """
    lock_partner(member.partner)
    locked = _lock_present(member)
    known = replace(known, email=_address_for(locked, known.email))
    before = known_of(locked)
    if before == known:
        return locked
    locked.email, locked.first_name = known.email, known.first_name
    locked.last_name, locked.group = known.last_name, known.group
    if before.email != known.email and locked.status == Status.INVITED:
        locked.digest = None  # the link went to the old address
        locked.mail_due_at, locked.mail_attempts = database_now(), 0
        enqueue("core.send_mails", queue="programme_claims")
    locked.save()
    audit.record(
        action="partner.update_member",
        organization=locked.organization,
        object_id=locked.public_id,
        before=_told(before),
        after=_told(known),
    )
    return locked


@transaction.atomic
def suspend(*, member: PartnerMember, reason: str) -> PartnerMember:
    """
    Freeze a member's wallet: nothing is spent or awarded until it is lifted. Repeated, nothing.

    :raises MemberNotThere: if he has left.
    """
    lock_partner(member.partner)
    locked = _lock_present(member)
    if locked.status == Status.SUSPENDED:
        return locked
    before = locked.status
    change_status(wallet=locked.wallet, reason=reason, is_frozen=True)
    locked.status, locked.mail_due_at = Status.SUSPENDED, None
    locked.save()
    _record(locked, "partner.suspend_member", before, reason)
    return locked


@transaction.atomic
def lift(*, member: PartnerMember, reason: str = "") -> PartnerMember:
    """
    Let a suspended member go on where he was: active, or invited. Repeated, nothing.

    :raises MemberNotThere: if he has left.
    """
    lock_partner(member.partner)
    locked = _lock_present(member)
    if locked.status != Status.SUSPENDED:
        return locked
    change_status(wallet=locked.wallet, reason=reason, is_frozen=False)
    locked.status = Status.ACTIVE if locked.user_id else Status.INVITED
    if locked.status == Status.INVITED and locked.digest is None:  # suspended before his link went
        locked.mail_due_at = database_now()
        enqueue("core.send_mails", queue="programme_claims")
    locked.save()
    _record(locked, "partner.lift_member", Status.SUSPENDED, reason)
    return locked


@transaction.atomic
def remove_member(*, member: PartnerMember, cause: Cause, reason: str = "") -> PartnerMember:
    """
    Let a member go: what he has not used goes by the terms, and so does the role that he got.

    Repeated, nothing. An award or an invitation asks him back.
    """
    lock_organization(member.organization)
    lock_partner(member.partner)
    locked = lock_member(member)
    if locked.status == Status.LEFT:
        return locked
    before, user = locked.status, locked.user
    if before == Status.SUSPENDED:
        change_status(wallet=locked.wallet, reason=reason or cause.value, is_frozen=False)
    settle_member(member=locked, cause=cause.value)
    locked.status, locked.left_at = Status.LEFT, database_now()
    locked.user = locked.digest = locked.link_expires_at = locked.mail_due_at = None
    locked.save()
    _record(locked, "partner.remove_member", before, reason or cause.value)
    if user is not None:
        set_holder(wallet=locked.wallet, user=None)
        take_away(
            organization=locked.organization,
            user=user,
            role=system_role(PROGRAMME_MEMBER.name),
        )
    return locked


@inside_transaction
def _lock_present(member: PartnerMember) -> PartnerMember:
    locked = lock_member(member)
    if locked.status == Status.LEFT:
        raise MemberNotThere(email=locked.email)
    return locked


def _address_for(member: PartnerMember, text: str) -> str:
    """Return the address as it is kept, if no other member has it."""
    try:
        address = normalized(text)
    except ValueError as error:
        raise InvalidMemberAddress(value=text, problem=str(error)) from error
    others = PartnerMember.objects.filter(partner=member.partner_id, email=address)
    if others.exclude(pk=member.pk).exists():
        raise MemberExists(email=address)
    return address


def _told(known: Known) -> dict[str, str | None]:
    return {
        "email": known.email,
        "full_name": f"{known.first_name} {known.last_name}".strip(),
        "group": known.group.public_id if known.group else None,
    }


def _record(member: PartnerMember, action: str, before: str, reason: str) -> None:
    audit.record(
        action=action,
        organization=member.organization,
        object_id=member.public_id,
        before={"status": before},
        after={"status": member.status},
        reason=reason,
    )
