"""
Follow a claim link: what was offered becomes the person's own, in a wallet of his own.

Reading the link changes nothing, because mail programs read links on their own. The link never
signs anybody in: it is proof of the address and of nothing else.
"""

from collections.abc import Callable

from django.db import transaction

from apps.core import context, scope
from apps.core.clock import database_now
from apps.credits.services.holders import set_holder
from apps.partners.errors import AlreadyInProgramme, ClaimNotOpen
from apps.partners.models import PartnerMember
from apps.partners.services.claims import claim_awards
from apps.partners.services.members import lock_member
from apps.partners.services.programmes import lock_partner
from apps.rbac.models import UserRole
from apps.rbac.permissions import PROGRAMME_MEMBER
from apps.rbac.services import mailed_links
from apps.rbac.services.arriving import check_is_his, create_person, record_sign_up
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization

Status = PartnerMember.Status
WHY_NOT = {
    Status.ACTIVE: "was used already",
    Status.SUSPENDED: "is held back by the programme",
    Status.LEFT: "is of somebody who is no member any more",
}


def find_claim(token: str) -> PartnerMember | None:
    """Return the member whose newest link has this secret, whatever became of him."""
    if not mailed_links.is_well_formed(token, mailed_links.CLAIM):
        return None
    digest = mailed_links.digest_of(token)
    with scope.opened_by("programme_claim", digest):
        rows = PartnerMember.objects.select_related("organization", "partner", "invited_by")
        found: PartnerMember | None = rows.filter(digest=digest).first()
        return found


def check_is_open(member: PartnerMember) -> None:
    """
    Check that somebody can claim by the newest link now.

    :raises ClaimNotOpen: if somebody did, the link is past its time, or the programme holds back.
    """
    _check_is_invited(member)
    if member.link_expires_at is None or member.link_expires_at <= database_now():
        raise ClaimNotOpen(state="is past its time", programme=member.partner.name)


def has_claimed(member: PartnerMember, user: User) -> bool:
    """Tell whether this person has claimed it, in another tab perhaps, and is there still."""
    return member.status == Status.ACTIVE and member.user_id == user.pk


@transaction.atomic
def claim(*, member: PartnerMember, user: User) -> PartnerMember:
    """
    Claim what is offered to an address that the person has verified. He may repeat it.

    :raises InvitationForAnother: if the address is none of the person's.
    :raises AddressNotVerified: if it is his, and he has not verified it.
    :raises ClaimNotOpen: if it was claimed by another, or is held back.
    :raises AlreadyInProgramme: if he is in the programme with another address.
    """
    locked = _lock(member)
    check_is_his(user, locked.email)
    return locked if has_claimed(locked, user) else _claim(locked, user)


@transaction.atomic
def claim_by_link(*, member: PartnerMember, user: User, token: str) -> PartnerMember:
    """
    Claim with the account that one is signed in to. Whoever claimed may repeat it.

    Raises what `claim` does, and:

    :raises ClaimNotOpen: if the link was replaced by a newer one, or is past its time.
    """
    locked = _lock(member)
    _check_is_newest(locked, token)
    if not has_claimed(locked, user):
        check_is_open(locked)
    return claim(member=locked, user=user)


@transaction.atomic
def sign_up(
    *, member: PartnerMember, token: str, full_name: str, set_password: Callable[[User], None]
) -> User:
    """
    Create a person whose address the link has verified, and let him claim.

    :raises AccountExists: if the address has an account.
    :raises ClaimNotOpen: if it was claimed, replaced, is past its time or held back.
    """
    locked = _lock(member)
    _check_is_newest(locked, token)
    check_is_open(locked)
    user = create_person(email=locked.email, full_name=full_name, set_password=set_password)
    with context.acting(actor=f"user:{user.public_id}"):
        record_sign_up(user=user, organization=locked.organization, member=locked.public_id)
        _claim(locked, user)
    return user


def _lock(member: PartnerMember) -> PartnerMember:
    """Lock organization, programme and member, in this order."""
    lock_organization(member.organization)
    lock_partner(member.partner)
    return lock_member(member)


def _check_is_newest(member: PartnerMember, token: str) -> None:
    if member.digest is None or bytes(member.digest) != mailed_links.digest_of(token):
        raise ClaimNotOpen(state="was replaced by a newer one", programme=member.partner.name)


def _check_is_invited(member: PartnerMember) -> None:
    state = WHY_NOT.get(Status(member.status))
    if not member.organization.is_active:
        state = "is of an organization that is closed"
    if state is not None:
        raise ClaimNotOpen(state=state, programme=member.partner.name)


def _claim(member: PartnerMember, user: User) -> PartnerMember:
    _check_is_invited(member)
    other = PartnerMember.objects.filter(partner=member.partner, user=user).first()
    if other is not None:
        raise AlreadyInProgramme(programme=member.partner.name, email=other.email)
    member.status, member.user = Status.ACTIVE, user
    member.claimed_at, member.mail_due_at = database_now(), None
    member.save()
    set_holder(wallet=member.wallet, user=user)
    # Who belongs to the organization by another way keeps what he may do there.
    if not UserRole.objects.filter(user=user, organization=member.organization).exists():
        assign_role(
            user=user,
            role=system_role(PROGRAMME_MEMBER.name),
            organization=member.organization,
        )
    with scope.within(member.organization_id, member.organization.clock_at):
        claim_awards(member=member)  # credits of a sandbox have its time, whoever is outside
    audit.record(
        action="partner.claim",
        organization=member.organization,
        object_id=member.public_id,
        after={"user": user.public_id},
    )
    return member
