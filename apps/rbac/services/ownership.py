"""
Who owns an organization: hand it over with the other's consent, or step down.

Each of these locks the organization's row first, so that of several at once each sees what
the one before has done. The database refuses the end of the last owner's role as well.
"""

from datetime import timedelta

from django.db import transaction

from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.rbac import selectors
from apps.rbac.errors import LastOwner, NotAMember, NotAnOwner, TransferEnded, TransferPending
from apps.rbac.models import OwnershipTransfer, UserRole
from apps.rbac.permissions import ADMIN, OWNER
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization

OFFER_LASTS = timedelta(days=7)
Status = OwnershipTransfer.Status


@transaction.atomic
def request_transfer(
    *, organization: Organization, from_user: User, to_user: User
) -> OwnershipTransfer:
    """
    Offer the organization to another member; until he accepts, nothing changes.

    :raises NotAnOwner: if the one who offers it does not own it.
    :raises NotAMember: if the other does not belong to it, is not active, or is himself.
    :raises TransferPending: if another offer waits.
    """
    locked = lock_organization(organization)
    check_owner(locked, from_user)
    if to_user == from_user or not _is_active_member(locked, to_user):
        raise NotAMember(field="to")
    now = database_now()
    _expire(locked)
    if selectors.open_transfer_of(locked) is not None:
        raise TransferPending
    transfer = OwnershipTransfer.objects.create(
        organization=locked,
        from_user=from_user,
        to_user=to_user,
        expires_at=now + OFFER_LASTS,
        mail_due_at=now,
    )
    _record("request", transfer)
    enqueue("core.send_mails", queue="transfers")
    return transfer


@transaction.atomic
def accept_transfer(*, transfer: OwnershipTransfer, user: User) -> OwnershipTransfer:
    """
    Take the organization over: the new owner has the role, the former one becomes admin.

    :raises TransferEnded: if it is not his to accept, is over, or was offered by somebody
        who owns the organization no more.
    """
    locked = _lock(transfer)
    organization = locked.organization
    still_owns = selectors.owners_of(organization).filter(pk=locked.from_user_id).exists()
    if locked.to_user != user or not still_owns or not _is_active_member(organization, user):
        raise TransferEnded
    assign_role(user=user, role=system_role(OWNER.name), organization=organization)
    _become_admin(organization, locked.from_user)
    return _end(locked, Status.ACCEPTED, "accept")


@transaction.atomic
def decline_transfer(*, transfer: OwnershipTransfer, user: User) -> OwnershipTransfer:
    """
    Refuse the organization that was offered.

    :raises TransferEnded: if it was not offered to this person, or is over.
    """
    locked = _lock(transfer)
    if locked.to_user != user:
        raise TransferEnded
    return _end(locked, Status.DECLINED, "decline")


@transaction.atomic
def withdraw_transfer(*, transfer: OwnershipTransfer, user: User) -> OwnershipTransfer:
    """
    Take an offer back; any owner may.

    :raises NotAnOwner: if the person does not own the organization.
    :raises TransferEnded: if it is over.
    """
    locked = _lock(transfer)
    check_owner(locked.organization, user)
    return _end(locked, Status.WITHDRAWN, "withdraw")


@transaction.atomic
def step_down(*, organization: Organization, user: User) -> None:
    """
    Give up ownership and become admin, where another owner remains.

    :raises NotAnOwner: if the person does not own it.
    :raises LastOwner: if nobody else does.
    """
    locked = lock_organization(organization)
    check_owner(locked, user)
    check_other_owner(locked, user)
    _become_admin(locked, user)


def check_owner(organization: Organization, user: User) -> None:
    """
    Check that the person owns the organization.

    :raises NotAnOwner: if he does not.
    """
    if not selectors.owners_of(organization).filter(pk=user.pk).exists():
        raise NotAnOwner


@inside_transaction
def check_other_owner(organization: Organization, user: User) -> None:
    """
    Check, under the organization's lock, that this owner is not the last who can sign in.

    :raises LastOwner: if he is.
    """
    if not selectors.owners_of(organization).exclude(pk=user.pk).exists():
        raise LastOwner


def _is_active_member(organization: Organization, user: User) -> bool:
    return selectors.members_of(organization).filter(pk=user.pk, is_active=True).exists()


def _become_admin(organization: Organization, user: User) -> None:
    """Give the role of admin for that of owner. Called once another owner is certain."""
    assign_role(user=user, role=system_role(ADMIN.name), organization=organization)
    UserRole.objects.filter(organization=organization, user=user, **selectors.IS_OWNER).delete()
    audit.record(
        action="role.remove",
        organization=organization,
        object_id=user.public_id,
        before={"role": OWNER.name},
    )


@inside_transaction
def _lock(transfer: OwnershipTransfer) -> OwnershipTransfer:
    """
    Lock organization and offer, and return the offer if it is still open.

    :raises TransferEnded: if it is not.
    """
    organization = lock_organization(transfer.organization)
    locked = OwnershipTransfer.objects.select_for_update(no_key=True, of=("self",)).get(
        pk=transfer.pk
    )
    is_over = locked.status != Status.PENDING or locked.expires_at <= database_now()
    if is_over or not organization.is_active:
        raise TransferEnded
    locked.organization = organization
    return locked


def _expire(organization: Organization) -> None:
    """Write down that an offer has run out, so that another one can be made."""
    for late in OwnershipTransfer.objects.filter(
        organization=organization, status=Status.PENDING, expires_at__lte=database_now()
    ):
        _end(late, Status.EXPIRED, "expire")


def _end(transfer: OwnershipTransfer, status: Status, verb: str) -> OwnershipTransfer:
    """Close an offer; the one who made it is told of the other's answer."""
    now = database_now()
    is_answer = status in (Status.ACCEPTED, Status.DECLINED)
    transfer.status, transfer.ended_at = status, now
    transfer.mail_due_at = now if is_answer else None
    transfer.mail_attempts = 0  # the answer is another mail than the offer
    transfer.save(update_fields=["status", "ended_at", "mail_due_at", "mail_attempts"])
    _record(verb, transfer)
    if is_answer:
        enqueue("core.send_mails", queue="transfers")
    return transfer


def _record(verb: str, transfer: OwnershipTransfer) -> None:
    audit.record(
        action=f"ownership.{verb}",
        organization=transfer.organization,
        object_id=transfer.public_id,
        after={
            "from": transfer.from_user.public_id,
            "to": transfer.to_user.public_id,
            "status": transfer.status,
        },
    )
