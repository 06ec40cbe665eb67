"""Apply for a partner programme, withdraw, and decide."""

from django.db import transaction

from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.partners.errors import AlreadyPartner, ApplicationDecided, ApplicationPending
from apps.partners.models import Application, Partner
from apps.partners.selectors.applications import pending_application_of
from apps.partners.selectors.programmes import find_partner
from apps.partners.services.programmes import STANDARD, Terms, make_partner
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization

Status = Application.Status


@transaction.atomic
def apply(
    *, organization: Organization, name: str, expected_members: int, reason: str = "", by: User
) -> Application:
    """
    Ask to become a partner, with a programme of this name for about so many members.

    :raises AlreadyPartner: if the organization has a programme.
    :raises ApplicationPending: if it has applied, and nobody has decided yet.
    """
    locked = lock_organization(organization)
    if (partner := find_partner(locked)) is not None:
        raise AlreadyPartner(name=partner.name)
    if (pending := pending_application_of(locked)) is not None:
        raise ApplicationPending(name=pending.name)
    application = Application.objects.create(
        organization=locked,
        applied_by=by,
        name=name,
        expected_members=expected_members,
        reason=reason,
    )
    audit.record(
        action="partner.apply",
        organization=locked,
        object_id=application.public_id,
        after={"name": name, "expected_members": expected_members},
        reason=reason,
    )
    return application


@transaction.atomic
def withdraw(*, application: Application) -> Application:
    """
    Take back an application that nobody has decided; one that is withdrawn stays so.

    :raises ApplicationDecided: if it was decided.
    """
    locked = _lock(application)
    if locked.status == Status.WITHDRAWN:
        return locked
    _check_is_pending(locked)
    locked.status, locked.decided_at = Status.WITHDRAWN, database_now()
    locked.save()
    audit.record(
        action="partner.withdraw_application",
        organization=locked.organization,
        object_id=locked.public_id,
    )
    return locked


@transaction.atomic
def approve(
    *, application: Application, terms: Terms = STANDARD, answer: str = "", by: User
) -> Partner:
    """
    Give the organization its programme, with these terms; who applied gets a mail.

    :raises ApplicationDecided: if it was decided, or withdrawn.
    :raises AlreadyPartner: if the organization got a programme meanwhile.
    :raises InvalidPartnerTerms: if the terms cannot be so.
    """
    lock_organization(application.organization)
    locked = _lock(application)
    _check_is_pending(locked)
    partner = make_partner(
        organization=locked.organization, name=locked.name, terms=terms, by=by, reason=answer
    )
    _decide(locked, Status.APPROVED, answer, by)
    return partner


@transaction.atomic
def decline(*, application: Application, answer: str, by: User) -> Application:
    """
    Refuse, with an answer that who applied gets by mail.

    :raises ApplicationDecided: if it was decided, or withdrawn.
    """
    locked = _lock(application)
    _check_is_pending(locked)
    _decide(locked, Status.DECLINED, answer, by)
    return locked


@inside_transaction
def _lock(application: Application) -> Application:
    rows = Application.objects.select_for_update(of=("self",)).select_related("organization")
    locked: Application = rows.get(pk=application.pk)
    return locked


def _check_is_pending(application: Application) -> None:
    if application.status != Status.PENDING:
        raise ApplicationDecided(name=application.name, state=application.status)


def _decide(application: Application, status: Application.Status, answer: str, by: User) -> None:
    now = database_now()
    application.status, application.decided_at, application.decided_by = status, now, by
    application.answer, application.mail_due_at = answer, now
    application.save()
    audit.record(
        action=f"partner.{'approve' if status == Status.APPROVED else 'decline'}_application",
        organization=application.organization,
        object_id=application.public_id,
        after={"status": status.value},
        reason=answer,
    )
    enqueue("core.send_mails", queue="partner_applications")
