"""
Invite people by e-mail, send again, revoke.

The link goes to the invited mailbox alone: whoever signs up through it has shown that the
address is his. So nobody is shown a link here, the inviter least of all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.core.clock import database_now
from apps.core.errors import DomainError
from apps.core.queue import enqueue
from apps.rbac import selectors
from apps.rbac.errors import (
    AlreadyMember,
    InvalidAddress,
    InvitationExists,
    InvitationLimitReached,
    InvitationNotOpen,
    InvitationSentRecently,
    TooManyAddresses,
    UnknownRole,
)
from apps.rbac.models import ApiKey, Invitation, Role
from apps.rbac.services.granting import check_may, check_may_give
from apps.rbac.services.seats import check_seat_to_offer
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization

LIFETIME = timedelta(days=7)
DAY = timedelta(hours=24)
PAUSES = (  # before an invitation is sent again; the last one stays
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    DAY,
)
MOST_AT_ONCE = 200  # addresses
LONGEST_ADDRESS = 254
TO_INVITE = "members.manage"


@dataclass(frozen=True)
class Row:
    """What became of one address of a list: an invitation, or why there is none."""

    number: int  # from 1, as pasted
    email: str
    invitation: Invitation | None = None
    error: DomainError | None = None


@transaction.atomic
def invite(
    *, organization: Organization, email: str, role: Role, by: User, key: ApiKey | None = None
) -> Invitation:
    """
    Invite an address to a role; the mail goes out after the commit.

    Nobody gives what he lacks, and a key of his no more than its scopes allow.

    :raises InvalidAddress: if it is no e-mail address.
    :raises PermissionDenied: if the inviter may not invite.
    :raises UnknownRole: if the role cannot be given there, or was deleted meanwhile.
    :raises RoleNotHeld: if the role allows more than the inviter may do.
    :raises AlreadyMember: if the address belongs to a member.
    :raises InvitationExists: if it has an open invitation.
    :raises MemberLimitReached: if every seat is taken or offered.
    :raises InvitationLimitReached: if the organization sent too many in 24 hours.
    """
    address = folded(email)
    locked = lock_organization(organization)
    _check_may_invite(locked, role, by, key)
    return _invite(locked, address, role, by)


@transaction.atomic
def invite_many(
    *,
    organization: Organization,
    emails: Iterable[str],
    role: Role,
    by: User,
    key: ApiKey | None = None,
) -> list[Row]:
    """
    Invite each of these addresses; what is wrong with one keeps no other from its invitation.

    :raises PermissionDenied: if the inviter may not invite.
    :raises UnknownRole: if the role cannot be given there, or was deleted meanwhile.
    :raises RoleNotHeld: if the role allows more than the inviter may do.
    :raises TooManyAddresses: if there are more than MOST_AT_ONCE.
    """
    addresses = list(emails)
    if len(addresses) > MOST_AT_ONCE:
        raise TooManyAddresses(most=MOST_AT_ONCE)
    locked = lock_organization(organization)
    _check_may_invite(locked, role, by, key)
    rows = []
    for number, email in enumerate(addresses, start=1):
        try:
            invitation = _invite(locked, folded(email), role, by)
        except DomainError as error:
            rows.append(Row(number, email, error=error))
        else:
            rows.append(Row(number, invitation.email, invitation))
    return rows


@transaction.atomic
def resend(*, invitation: Invitation, by: User, key: ApiKey | None = None) -> Invitation:
    """
    Send an invitation again, for another 7 days; the link in the mail before ends.

    One that is past its time opens again by this. The pause between two mails grows.

    :raises InvitationNotOpen: if it was accepted or revoked.
    :raises PermissionDenied: if the one who asks may not invite.
    :raises RoleNotHeld: if its role allows more than the one who asks may do.
    :raises InvitationSentRecently: if the pause is not over.
    :raises MemberLimitReached: if it is past its time and every seat is taken or offered.
    :raises InvitationLimitReached: if the organization sent too many in 24 hours.
    """
    organization = lock_organization(invitation.organization)
    locked = lock_invitation(invitation)
    check_is_pending(locked)
    _check_may_invite(organization, locked.offered_role, by, key)
    now = database_now()
    wait = resend_after(locked) - now
    if wait > timedelta(0):
        raise InvitationSentRecently(retry_after=int(wait.total_seconds()) + 1)
    if locked.expires_at <= now:  # its seat was free, and may be another's by now
        check_seat_to_offer(organization, locked.offered_role)
    _check_limit(organization, now)
    locked.resends += 1
    locked.resent_at = locked.mail_due_at = now
    locked.expires_at = now + LIFETIME
    locked.mail_attempts = 0
    locked.digest = None
    locked.save()
    audit.record(
        action="invitation.resend",
        organization=organization,
        object_id=locked.public_id,
        after={"email": locked.email, "expires_at": locked.expires_at.isoformat()},
    )
    enqueue("core.send_mails", queue="invitations")
    return locked


@transaction.atomic
def revoke(*, invitation: Invitation) -> Invitation:
    """
    End an invitation: its link opens nothing any more. A revoked one stays as it is.

    :raises InvitationNotOpen: if it was accepted: remove the member instead.
    """
    locked = lock_invitation(invitation)
    if locked.status == Invitation.Status.REVOKED:
        return locked
    check_is_pending(locked)
    return _revoke(locked)


def revoke_invitations_of(*, organization: Organization, inviter: User) -> None:
    """End the open invitations that a person sent: he answers for them no more."""
    pending = Invitation.objects.select_for_update(of=("self",)).filter(
        organization=organization, invited_by=inviter, status=Invitation.Status.PENDING
    )
    for one in pending.select_related("role", "organization").order_by("id"):
        _revoke(one)


def folded(email: str) -> str:
    """
    Return the address as it is kept, in lower case like those of people.

    :raises InvalidAddress: if it is none.
    """
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidAddress(email=email.strip()[:LONGEST_ADDRESS] or "An empty line") from error
    if len(address) > LONGEST_ADDRESS:
        raise InvalidAddress(email=address[:LONGEST_ADDRESS])
    return address


def lock_invitation(invitation: Invitation) -> Invitation:
    """Lock an invitation's row, and return it as it is now."""
    rows = Invitation.objects.select_for_update(of=("self",))
    return rows.select_related("role", "organization", "invited_by").get(pk=invitation.pk)


def check_is_pending(invitation: Invitation) -> None:
    """
    Check that the invitation has not ended; it may be past its time.

    :raises InvitationNotOpen: if it was accepted, revoked or given up.
    """
    if invitation.status != Invitation.Status.PENDING:
        raise InvitationNotOpen(state=invitation.status)


def resend_after(invitation: Invitation) -> datetime:
    """Return the moment from which the invitation may be sent again."""
    pause = PAUSES[min(invitation.resends, len(PAUSES) - 1)]
    return (invitation.resent_at or invitation.created_at) + pause


def _check_may_invite(organization: Organization, role: Role, by: User, key: ApiKey | None) -> None:
    held = selectors.held_by(by, organization, key)
    check_may(TO_INVITE, held)
    if not selectors.roles_in(organization).filter(pk=role.pk).exists():
        raise UnknownRole(role=role.name)  # deleted meanwhile, or never given here
    check_may_give(role, held)


def _invite(organization: Organization, address: str, role: Role, by: User) -> Invitation:
    """Write an invitation; the caller holds the organization's lock, so all checks stay true."""
    if selectors.members_of(organization).filter(email=address).exists():
        raise AlreadyMember(email=address)
    now = database_now()
    _end_what_is_past(organization, address, now)
    check_seat_to_offer(organization, role)
    _check_limit(organization, now)
    invitation = Invitation.objects.create(
        organization=organization,
        email=address,
        role=role,
        invited_by=by,
        created_at=now,
        expires_at=now + LIFETIME,
        mail_due_at=now,
    )
    audit.record(
        action="invitation.create",
        organization=organization,
        object_id=invitation.public_id,
        after={"email": address, "role": role.name},
    )
    enqueue("core.send_mails", queue="invitations")
    return invitation


def _end_what_is_past(organization: Organization, address: str, now: datetime) -> None:
    """Close the address's invitation if its time is over, so that there is room for another."""
    pending = Invitation.objects.select_for_update().filter(
        organization=organization, email=address, status=Invitation.Status.PENDING
    )
    for one in pending:
        if one.expires_at > now:
            raise InvitationExists(email=address)
        one.status, one.ended_at = Invitation.Status.EXPIRED, now
        one.digest = one.mail_due_at = None
        one.save()


def _revoke(invitation: Invitation) -> Invitation:
    invitation.status, invitation.ended_at = Invitation.Status.REVOKED, database_now()
    invitation.mail_due_at = None
    invitation.save()
    audit.record(
        action="invitation.revoke",
        organization=invitation.organization,
        object_id=invitation.public_id,
        before={"email": invitation.email, "role": invitation.offered_role.name},
    )
    return invitation


def _check_limit(organization: Organization, now: datetime) -> None:
    """Count in the database, under the organization's lock: no two take the last place."""
    since, rows = now - DAY, Invitation.objects.filter(organization=organization)
    created = rows.filter(created_at__gt=since).values_list("created_at", flat=True)
    again = rows.filter(resent_at__gt=since).values_list("resent_at", flat=True)
    sent = created.count() + again.count()
    limit: int = settings.INVITATIONS_PER_DAY
    if sent < limit:
        return
    # There is room again once all but limit - 1 of these are a day old.
    last = created.union(again, all=True).order_by("created_at")[sent - limit : sent - limit + 1]
    wait = next(iter(last), now) + DAY - now
    raise InvitationLimitReached(limit=limit, retry_after=int(wait.total_seconds()) + 1)
