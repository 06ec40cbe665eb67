"""
Who belongs to an organization: join, change role, leave, remove.

Each of these locks the organization's row first, so that of several at once each sees what
the one before has done: two owners who leave at the same moment cannot both be gone.
"""

from collections.abc import Collection

from django.db import transaction

from apps.core.errors import NotFound
from apps.rbac import selectors
from apps.rbac.errors import LastOwner
from apps.rbac.models import ApiKey, Role, UserRole
from apps.rbac.permissions import OWNER
from apps.rbac.services import keys
from apps.rbac.services.granting import check_may_give, check_rank
from apps.rbac.services.invitations import revoke_invitations_of
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization


@transaction.atomic
def change_role(
    *, organization: Organization, user: User, role: Role, by: User, held: Collection[str]
) -> User:
    """
    Give a member this role instead of those he has in the organization.

    `held` is what the one who asks may do there at most (a key: within its scopes); what he
    may do by now is asked again under the lock.

    :raises NotFound: if the person is no member.
    :raises RoleNotHeld: if the role allows more than that.
    :raises MemberOutranksYou: if the member may do more than that now.
    :raises LastOwner: if nobody would be owner any more.
    """
    lock_organization(organization)
    assigned = _roles_of(organization, user)
    held = selectors.permissions_of(by, organization) & set(held)
    check_may_give(role, held)
    if user != by:
        check_rank(assigned, held)
    before = sorted(one.role.name for one in assigned)
    if [one.role for one in assigned] == [role]:
        return user
    if not _is_owner(role):
        _check_owner_stays(organization, assigned)
    # The oldest row stays, because it tells since when he belongs here.
    oldest, *others = assigned
    UserRole.objects.filter(pk__in=[one.pk for one in others]).delete()
    oldest.role = role
    oldest.save(update_fields=["role", "updated_at"])
    audit.record(
        action="member.change_role",
        organization=organization,
        object_id=user.public_id,
        before={"roles": before},
        after={"roles": [role.name]},
    )
    return user


@transaction.atomic
def remove_member(*, organization: Organization, user: User, by: User) -> None:
    """
    End a person's membership: his roles, his API keys and the invitations he sent.

    He has no access from his next request on. What he did stays, and stays his.

    :raises NotFound: if he is no member.
    :raises MemberOutranksYou: if he may do more than the one who asks.
    :raises LastOwner: if he is the last owner.
    """
    lock_organization(organization)
    assigned = _roles_of(organization, user)
    is_leaving = user == by
    if not is_leaving:
        check_rank(assigned, selectors.permissions_of(by, organization))
    _check_owner_stays(organization, assigned)
    UserRole.objects.filter(pk__in=[one.pk for one in assigned]).delete()
    for key in ApiKey.objects.filter(
        organization=organization, created_by=user, revoked_at=None
    ).order_by("id"):
        keys.revoke_key(key=key)
    revoke_invitations_of(organization=organization, inviter=user)
    audit.record(
        action="member.leave" if is_leaving else "member.remove",
        organization=organization,
        object_id=user.public_id,
        before={"roles": [one.role.name for one in assigned]},
    )


def leave(*, organization: Organization, user: User) -> None:
    """
    End one's own membership.

    :raises NotFound: if he is no member.
    :raises LastOwner: if he is the last owner.
    """
    remove_member(organization=organization, user=user, by=user)


def _roles_of(organization: Organization, user: User) -> list[UserRole]:
    """Return the member's roles, locked."""
    assigned = list(
        UserRole.objects.select_for_update(of=("self",))
        .filter(organization=organization, user=user)
        .select_related("role")
        .order_by("created_at", "id")
    )
    if not assigned:
        raise NotFound
    return assigned


def _check_owner_stays(organization: Organization, leaving: list[UserRole]) -> None:
    """Ask for another owner than the one whose roles these are, under the lock."""
    if not any(_is_owner(one.role) for one in leaving):
        return
    others = UserRole.objects.filter(
        organization=organization,
        role__name=OWNER.name,
        role__is_system_role=True,
        user__is_active=True,
    ).exclude(user=leaving[0].user_id)
    if not others.exists():
        raise LastOwner


def _is_owner(role: Role) -> bool:
    return role.is_system_role and role.name == OWNER.name
