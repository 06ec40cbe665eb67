"""
Follow the link of an invitation: join with the account one has, or sign up.

Reading the link changes nothing, because mail programs read links on their own. The link
never signs anybody in: it is proof of the address and of nothing else.
"""

from collections.abc import Callable

from django.db import transaction

from apps.core import context, scope
from apps.core.clock import database_now
from apps.rbac import selectors
from apps.rbac.errors import InvitationNotBacked, InvitationNotOpen, RoleNotHeld
from apps.rbac.models import Invitation, UserRole
from apps.rbac.services import mailed_links
from apps.rbac.services.arriving import check_is_his, create_person, record_sign_up
from apps.rbac.services.granting import check_may_give
from apps.rbac.services.invitations import TO_INVITE, check_is_pending, lock_invitation
from apps.rbac.services.roles import assign_role
from apps.tenants.models import User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization


def find_invitation(token: str) -> Invitation | None:
    """Return the invitation whose newest link has this secret, whatever became of it."""
    if not mailed_links.is_well_formed(token, mailed_links.INVITATION):
        return None
    digest = mailed_links.digest_of(token)
    with scope.opened_by("invitation", digest):
        rows = Invitation.objects.select_related("organization", "role", "invited_by")
        return rows.filter(digest=digest).first()


def check_is_open(invitation: Invitation) -> None:
    """
    Check that the invitation can be accepted now.

    :raises InvitationNotOpen: if it was accepted, revoked, or is past its time.
    """
    check_is_pending(invitation)
    if invitation.expires_at <= database_now():
        raise InvitationNotOpen(state="past its time")
    if not invitation.organization.is_active:
        raise InvitationNotOpen(state="to an organization that is closed")


def has_joined(invitation: Invitation, user: User) -> bool:
    """Tell whether this person has accepted it, in another tab perhaps, and is a member still."""
    if invitation.status != Invitation.Status.ACCEPTED or invitation.accepted_by_id != user.pk:
        return False
    return UserRole.objects.filter(user=user, organization=invitation.organization).exists()


@transaction.atomic
def accept(*, invitation: Invitation, user: User, token: str) -> Invitation:
    """
    Join with the account that one is signed in to. Whoever accepted may repeat it.

    :raises InvitationForAnother: if the invited address is none of the person's.
    :raises AddressNotVerified: if it is his, and he has not verified it.
    :raises InvitationNotOpen: if it was revoked, is past its time, or somebody accepted it.
    :raises InvitationNotBacked: if the inviter may not give the role any more.
    """
    locked = _lock(invitation, token)
    check_is_his(user, locked.email)
    if has_joined(locked, user):
        return locked
    return _join(locked, user)


@transaction.atomic
def sign_up(
    *, invitation: Invitation, token: str, full_name: str, set_password: Callable[[User], None]
) -> User:
    """
    Create a person whose address the link has verified, and let him join.

    He gets no organization of his own.

    :raises AccountExists: if the address has an account.
    :raises InvitationNotOpen: if it was accepted, revoked, or is past its time.
    :raises InvitationNotBacked: if the inviter may not give the role any more.
    """
    locked = _lock(invitation, token)
    check_is_open(locked)
    user = create_person(email=locked.email, full_name=full_name, set_password=set_password)
    with context.acting(actor=f"user:{user.public_id}"):
        record_sign_up(user=user, organization=locked.organization, invitation=locked.public_id)
        _join(locked, user)
    return user


def _lock(invitation: Invitation, token: str) -> Invitation:
    """Lock organization and invitation, in this order; a link that was replaced opens nothing."""
    lock_organization(invitation.organization)
    locked = lock_invitation(invitation)
    if locked.digest is None or bytes(locked.digest) != mailed_links.digest_of(token):
        raise InvitationNotOpen(state="sent again since, with a new link")
    return locked


def _join(invitation: Invitation, user: User) -> Invitation:
    check_is_open(invitation)
    _check_backed(invitation)
    organization = invitation.organization
    # Who came in by another way meanwhile keeps what he has: an invitation adds no roles to it.
    if not UserRole.objects.filter(user=user, organization=organization).exists():
        assign_role(user=user, role=invitation.offered_role, organization=organization)
    invitation.status, invitation.ended_at = Invitation.Status.ACCEPTED, database_now()
    invitation.accepted_by, invitation.mail_due_at = user, None
    invitation.save()
    audit.record(
        action="invitation.accept",
        organization=organization,
        object_id=invitation.public_id,
        after={"user": user.public_id, "role": invitation.offered_role.name},
    )
    return invitation


def _check_backed(invitation: Invitation) -> None:
    """Ask again whether the inviter may do this: days have passed since he did."""
    inviter = invitation.invited_by
    held = selectors.held_by(inviter, invitation.organization) if inviter else frozenset()
    try:
        check_may_give(invitation.offered_role, held)
    except RoleNotHeld as error:
        raise InvitationNotBacked(role=invitation.offered_role.name) from error
    if TO_INVITE not in held:
        raise InvitationNotBacked(role=invitation.offered_role.name)
