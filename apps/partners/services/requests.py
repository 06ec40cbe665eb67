"""A member asks for more credits; the partner approves with an amount, or declines."""

from typing import Any

from django.db import transaction

from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.partners.errors.asking import (
    InvalidCreditRequest,
    MemberCannotAsk,
    RequestDecided,
    RequestPending,
)
from apps.partners.models import CreditRequest, PartnerCredit, PartnerMember
from apps.partners.services.awards import AwardRequest, award
from apps.partners.services.programmes import lock_active, lock_partner
from apps.tenants.models import User
from apps.tenants.services import audit

Status = CreditRequest.Status
MOST_CREDITS = 10**9  # of one request


@transaction.atomic
def request_credits(*, member: PartnerMember, credits: int, reason: str = "") -> CreditRequest:
    """
    Ask the programme for so many credits; those who hand credits on get a mail.

    :raises PartnerSuspended: if staff have suspended the programme.
    :raises MemberCannotAsk: if he may not spend credits.
    :raises InvalidCreditRequest: if nobody can ask for so many.
    :raises RequestPending: if he has asked before, and has no answer yet.
    """
    partner = lock_active(member.partner)
    current = PartnerMember.objects.get(pk=member.pk)  # read under the lock
    if current.status != PartnerMember.Status.ACTIVE:
        raise MemberCannotAsk(member_status=current.status)
    check_amount(credits)
    if waiting := CreditRequest.objects.filter(member=current, status=Status.PENDING).first():
        raise RequestPending(credits=waiting.credits)
    made = CreditRequest.objects.create(
        organization=partner.organization,
        partner=partner,
        member=current,
        credits=credits,
        reason=reason,
        mail_due_at=database_now(),
    )
    enqueue("core.send_mails", queue="credit_requests")
    _record("ask", made)
    return made


@transaction.atomic
def withdraw_request(*, request: CreditRequest) -> CreditRequest:
    """
    Take the request back, as its member; withdrawn twice is withdrawn once.

    :raises RequestDecided: if the programme has answered it.
    """
    locked = _lock(request)
    if locked.status == Status.WITHDRAWN:
        return locked
    _check_pending(locked)
    _end(locked, Status.WITHDRAWN)
    _record("withdraw", locked)
    return locked


@transaction.atomic
def approve_request(
    *, request: CreditRequest, by: User, credits: int | None = None, answer: str = ""
) -> CreditRequest:
    """
    Award what was asked for, or another number of credits, and tell the member.

    Approved twice with the same number is approved once.

    :raises RequestDecided: if it was declined, withdrawn, or approved with another number.
    :raises InvalidCreditRequest: if nobody can be given so many.
    :raises DomainError: whatever an award is refused for; the request stays pending.
    """
    partner = lock_active(request.partner)
    locked = _lock(request)
    wanted = locked.credits if credits is None else credits
    if locked.award is not None and locked.award.credits == wanted:
        return locked
    _check_pending(locked)
    check_amount(wanted)
    given = award(
        partner=partner,
        request=AwardRequest(
            member=locked.member,
            credits=wanted,
            key=f"request:{locked.public_id}",
            source=PartnerCredit.Source.REQUEST,
        ),
        by=by,
    )
    _end(locked, Status.APPROVED, award=given.award, decided_by=by, answer=answer)
    _record("approve", locked, awarded=wanted)
    return locked


@transaction.atomic
def decline_request(*, request: CreditRequest, by: User, answer: str) -> CreditRequest:
    """
    Give nothing, and tell the member why; declined twice is declined once.

    :raises InvalidCreditRequest: without an answer.
    :raises RequestDecided: if it was approved or withdrawn.
    """
    if not answer.strip():
        raise InvalidCreditRequest(field="answer", problem="Say why: the member reads it.")
    lock_partner(request.partner)
    locked = _lock(request)
    if locked.status == Status.DECLINED:
        return locked
    _check_pending(locked)
    _end(locked, Status.DECLINED, decided_by=by, answer=answer)
    _record("decline", locked)
    return locked


def check_amount(credits: int) -> None:
    """
    Check that so many credits can be asked for.

    :raises InvalidCreditRequest: if there are none, or too many.
    """
    if not 1 <= credits <= MOST_CREDITS:
        problem = f"This must be a whole number of credits from 1 to {MOST_CREDITS:,}."
        raise InvalidCreditRequest(field="credits", problem=problem)


@inside_transaction
def _lock(request: CreditRequest) -> CreditRequest:
    rows = CreditRequest.objects.select_for_update(no_key=True, of=("self",))
    fixed = rows.select_related("organization", "partner", "member")
    locked: CreditRequest = fixed.prefetch_related("award").get(pk=request.pk)
    return locked


def _check_pending(request: CreditRequest) -> None:
    if request.status != Status.PENDING:
        raise RequestDecided(state=request.status)


def _end(request: CreditRequest, status: CreditRequest.Status, **changes: Any) -> None:
    """Write the end of a request down, and let a mail tell the member of the programme's answer."""
    now = database_now()
    for name, value in changes.items():
        setattr(request, name, value)
    request.status, request.decided_at = status, now
    request.mail_due_at = None if status == Status.WITHDRAWN else now
    request.mail_attempts = 0
    request.save()
    if request.mail_due_at:
        enqueue("core.send_mails", queue="credit_requests")


def _record(verb: str, request: CreditRequest, **facts: Any) -> None:
    audit.record(
        action=f"credit_request.{verb}",
        organization=request.organization,
        object_id=request.public_id,
        after={
            "member": request.member.public_id,
            "credits": request.credits,
            "status": request.status,
            **facts,
        },
    )
