"""
Ask for one's own erasure, undo it, and carry it out when it is due.

What points at the person stays, because it points at an opaque id: the ledger and the audit
log lose no row. What names him goes: see `forgetting.STEPS`.
"""

from datetime import timedelta

import structlog
from django.db import transaction

from apps.core import context, scope
from apps.core.clock import database_now
from apps.core.errors import DomainError
from apps.core.mailbox import forget_mails
from apps.core.queue import enqueue
from apps.rbac.errors import ErasureNotPending, StaffStay, StillOwner
from apps.rbac.models import Erasure, UserRole
from apps.rbac.selectors.erasures import (
    due_erasures,
    identity_of,
    organizations_without,
    pending_erasure_of,
)
from apps.rbac.services.forgetting import STEPS, close_what_is_his_alone
from apps.tenants.errors import NotConfirmed
from apps.tenants.models import User
from apps.tenants.selectors.config import Setting, declare, value_of
from apps.tenants.services import audit
from apps.tenants.signals import person_erased

logger = structlog.get_logger(__name__)
GRACE_DAYS = declare(
    Setting(
        "privacy.erasure_days",
        default=7,
        description="Days for which somebody may undo his erasure.",
        minimum=1,
        maximum=30,
    )
)
AGAIN = timedelta(days=1)  # after which one that could not be done is tried again
BROKEN = "internal_error"  # shown to staff for what broke: the log has the traceback
Status = Erasure.Status


@transaction.atomic
def request_erasure(*, user: User, confirmation: str) -> Erasure:
    """
    Ask for the erasure of oneself; `confirmation` is one's own address, typed once more.

    Asking twice changes nothing.

    :raises NotConfirmed: if something else was typed.
    :raises StaffStay: if he is staff.
    :raises StillOwner: if others belong to an organization that only he owns.
    :raises DomainError: if an organization that is his alone cannot be closed.
    """
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if confirmation.strip().lower() != locked.email:
        raise NotConfirmed(expected=locked.email, field="confirmation")
    if (pending := pending_erasure_of(locked)) is not None:
        return pending
    check_may_go(locked)
    now = database_now()
    erasure = Erasure.objects.create(
        user=locked, due_at=now + timedelta(days=value_of(GRACE_DAYS)), mail_due_at=now
    )
    audit.record(action="user.erase_request", object_id=locked.public_id)
    enqueue("core.send_mails", queue="erasures")
    return erasure


@transaction.atomic
def cancel_erasure(*, user: User) -> Erasure:
    """
    Undo what was asked for.

    :raises ErasureNotPending: if nothing is pending.
    """
    pending = Erasure.objects.select_for_update().filter(user=user, status=Status.PENDING).first()
    if pending is None:
        raise ErasureNotPending
    pending.status, pending.ended_at, pending.mail_due_at = Status.CANCELLED, database_now(), None
    pending.save(update_fields=["status", "ended_at", "mail_due_at"])
    audit.record(action="user.erase_cancel", object_id=user.public_id)
    return pending


def check_may_go(user: User) -> None:
    """
    Check that nobody is left alone by the person's erasure, without changing anything.

    :raises StaffStay: if he is staff.
    :raises StillOwner: if others belong to an organization that only he owns.
    :raises DomainError: if an organization that is his alone cannot be closed.
    """
    roles = UserRole.objects.across_organizations("those of the person")
    is_global = roles.filter(user=user, organization=None).exists()
    if user.is_staff or user.is_superuser or is_global:
        raise StaffStay
    left_alone = [one.organization.name for one in organizations_without(user) if one.has_others]
    if left_alone:
        raise StillOwner(organizations=", ".join(left_alone))
    with transaction.atomic():  # tried and undone: each app may refuse the closing
        close_what_is_his_alone(user)
        transaction.set_rollback(True)


def erase_due(*, limit: int = 50) -> int:
    """Erase those whose time has come, and return how many. Safe to repeat, and at once."""
    return sum(_try(erasure) for erasure in due_erasures()[:limit])


def _try(erasure: Erasure) -> bool:
    """Erase one person, or write down what stands against it and let it wait."""
    try:
        return erase(erasure=erasure)
    except DomainError as refusal:
        logger.warning("erasure_refused", user=str(erasure.user_id), code=refusal.code)
        _put_off(erasure, code=refusal.code)
    except Exception:  # one that breaks must not keep those that are due later
        logger.exception("erasure_failed", user=str(erasure.user_id))
        _put_off(erasure, code=BROKEN)
    return False


def _put_off(erasure: Erasure, *, code: str) -> None:
    """Let it wait, and show staff what stands against it."""
    now = database_now()
    Erasure.objects.filter(pk=erasure.pk, status=Status.PENDING).update(
        refused_at=now, refusal=code, due_at=now + AGAIN
    )


def erase(*, erasure: Erasure) -> bool:
    """
    Forget the person, all of it or nothing; return False where another was faster.

    :raises DomainError: if somebody would be left alone by it.
    """
    everywhere = scope.every_organization("an erasure goes wherever the person is named")
    with everywhere, transaction.atomic():
        pending = (
            Erasure.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=erasure.pk, status=Status.PENDING)
            .first()
        )
        if pending is None:
            return False
        user = User.objects.get(pk=pending.user_id)
        check_may_go(user)
        identity = identity_of(user)
        with context.acting(actor="system:erase_people"):
            person_erased.send(sender=User, user=user, identity=identity)
            for step in STEPS:
                step(user, identity)
            audit.record(action="user.erase", object_id=user.public_id)
        pending.status, pending.ended_at, pending.mail_due_at = Status.DONE, database_now(), None
        pending.save(update_fields=["status", "ended_at", "mail_due_at"])
    forget_mails(identity.emails)
    logger.info("person_erased", user=user.public_id)
    return True
