"""Write to members who have not claimed yet: remind one or all, or send a lost link again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from apps.core.clock import database_now
from apps.core.queue import enqueue
from apps.partners.errors import MemberMailedRecently, MemberNotInvited
from apps.partners.models import Partner, PartnerMember
from apps.partners.selectors.members import counts_of, may_be_reminded
from apps.partners.services.members import lock_member
from apps.partners.services.programmes import lock_active
from apps.tenants.services import audit

BETWEEN_REMINDERS = timedelta(days=1)
BEFORE_AGAIN = timedelta(minutes=10)  # a mail server may take as long


@dataclass(frozen=True)
class Reminded:
    """How many of those who have not claimed are written to."""

    reminded: int
    too_soon: int  # got a mail less than a day ago


@transaction.atomic
def remind(*, member: PartnerMember) -> PartnerMember:
    """
    Remind one who has not claimed; his mail has a new link, and the old one ends.

    :raises PartnerSuspended: if staff have suspended the programme.
    :raises MemberNotInvited: if there is nothing for him to claim.
    :raises MemberMailedRecently: if he got a mail less than a day ago.
    """
    locked = _lock_invited(member)
    now = _check_pause(locked, BETWEEN_REMINDERS)
    locked.reminders += 1
    return _write_again(locked, now, "partner.remind_member")


@transaction.atomic
def resend(*, member: PartnerMember) -> PartnerMember:
    """
    Send the newest mail of one who has not claimed once more, with a new link.

    :raises PartnerSuspended: if staff have suspended the programme.
    :raises MemberNotInvited: if there is nothing for him to claim.
    :raises MemberMailedRecently: if he got a mail less than ten minutes ago.
    """
    locked = _lock_invited(member)
    now = _check_pause(locked, BEFORE_AGAIN)
    return _write_again(locked, now, "partner.resend_invitation")


@transaction.atomic
def remind_all(*, partner: Partner) -> Reminded:
    """
    Remind each who has not claimed and got no mail for a day; twice at once reminds once.

    :raises PartnerSuspended: if staff have suspended the programme.
    """
    locked = lock_active(partner)
    now = database_now()
    due = may_be_reminded(locked, now - BETWEEN_REMINDERS)
    rows = PartnerMember.objects.filter(pk__in=due.values("pk"))
    reminded = rows.update(
        reminders=F("reminders") + 1, reminded_at=now, mail_due_at=now, mail_attempts=0
    )
    invited = counts_of(locked)[PartnerMember.Status.INVITED]
    if reminded:
        audit.record(
            action="partner.remind_members",
            organization=locked.organization,
            object_id=locked.public_id,
            after={"members": reminded},
        )
        enqueue("core.send_mails", queue="programme_claims")
    return Reminded(reminded, invited - reminded)


def _lock_invited(member: PartnerMember) -> PartnerMember:
    lock_active(member.partner)
    locked = lock_member(member)
    if locked.status != PartnerMember.Status.INVITED:
        raise MemberNotInvited(email=locked.email, state=locked.status)
    return locked


def _check_pause(member: PartnerMember, pause: timedelta) -> datetime:
    """Return what time it is, if the member can be written to again."""
    now = database_now()
    last = max(filter(None, (member.created_at, member.sent_at, member.reminded_at)))
    wait = last + pause - now
    if wait > timedelta(0):
        seconds = int(wait.total_seconds()) + 1
        told = _in_words(seconds)
        raise MemberMailedRecently(email=member.email, retry_after=seconds, wait=told)
    return now


def _in_words(seconds: int) -> str:
    hours, minutes = divmod(-(-seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _write_again(member: PartnerMember, now: datetime, action: str) -> PartnerMember:
    member.reminded_at = member.mail_due_at = now
    member.mail_attempts = 0
    member.save(update_fields=["reminders", "reminded_at", "mail_due_at", "mail_attempts"])
    audit.record(
        action=action,
        organization=member.organization,
        object_id=member.public_id,
        after={"email": member.email, "reminders": member.reminders},
    )
    enqueue("core.send_mails", queue="programme_claims")
    return member
