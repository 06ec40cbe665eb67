"""
Who belongs to an organization, and in which roles: change them, leave, remove.

Each of these locks the organization's row first, so that of several at once each sees what
the one before has done: two owners who leave at the same moment cannot both be gone.
"""

from collections.abc import Collection, Iterable, Sequence

from django.db import transaction

from apps.core.errors import NotFound
from apps.rbac import selectors
from apps.rbac.errors import RolesRequired
from apps.rbac.models import ApiKey, Role, UserRole
from apps.rbac.permissions import OWNER
from apps.rbac.services import keys, seats
from apps.rbac.services.granting import check_may, check_may_give, check_rank
from apps.rbac.services.invitations import revoke_invitations_of
from apps.rbac.services.ownership import check_other_owner
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization
from apps.tenants.signals import membership_ended

TO_CHANGE = "members.manage"


@transaction.atomic
def set_roles(
    *,
    organization: Organization,
    user: User,
    roles: Collection[Role],
    by: User,
    key: ApiKey | None = None,
) -> User:
    """
    Give a member exactly these roles in the organization.

    What the one who asks may do there, with his key within its scopes, is asked under the
    lock. A role that the member keeps is given by nobody, so it needs nothing.

    :raises PermissionDenied: if the one who asks may not change members.
    :raises NotFound: if the person is no member, or a role cannot be given there.
    :raises RolesRequired: if no role is left.
    :raises RoleNotHeld: if a new role allows more than the one who asks may do.
    :raises MemberOutranksYou: if the member may do more than that now.
    :raises LastOwner: if nobody would be owner any more.
    :raises MemberLimitReached: if he had no seat, needs one now, and there is none.
    """
    lock_organization(organization)
    held = selectors.held_by(by, organization, key)
    check_may(TO_CHANGE, held)
    assigned = _roles_of(organization, user)
    if not roles:
        raise RolesRequired
    present = {one.role for one in assigned}
    wanted = sorted(set(roles), key=lambda role: role.name)
    if present == set(wanted):
        return user
    coming = [role for role in wanted if role not in present]
    _check_known(organization, coming)
    for role in coming:
        check_may_give(role, held)
    if user != by:
        check_rank(assigned, held)
    seats.take_seat(organization=organization, user=user, roles=wanted)
    if _has_owner(present) and not _has_owner(wanted):
        check_other_owner(organization, user)
    _replace(assigned, coming=coming, going=[one for one in assigned if one.role not in wanted])
    audit.record(
        action="member.change_role",
        organization=organization,
        object_id=user.public_id,
        before={"roles": sorted(one.name for one in present)},
        after={"roles": [role.name for role in wanted]},
    )
    return user


@transaction.atomic
def remove_member(
    *, organization: Organization, user: User, by: User, key: ApiKey | None = None
) -> None:
    """
    End a person's membership: his roles, his API keys and the invitations he sent.

    He has no access from his next request on. What he did stays, and stays his. A key of the
    one who asks needs the scope for members alone: it gives nothing.

    :raises PermissionDenied: if the one who asks may not change members; everyone may leave.
    :raises NotFound: if he is no member.
    :raises MemberOutranksYou: if he may do more than the one who asks.
    :raises LastOwner: if he is the last owner.
    """
    lock_organization(organization)
    is_leaving = user == by
    if not is_leaving:
        check_may(TO_CHANGE, selectors.held_by(by, organization, key))
    assigned = _roles_of(organization, user)
    if not is_leaving:
        check_rank(assigned, selectors.held_by(by, organization))
    if _has_owner(one.role for one in assigned):
        check_other_owner(organization, user)
    _end_membership(
        organization, user, assigned, action="member.leave" if is_leaving else "member.remove"
    )


def leave(*, organization: Organization, user: User) -> None:
    """
    End one's own membership.

    :raises NotFound: if he is no member.
    :raises LastOwner: if he is the last owner.
    """
    remove_member(organization=organization, user=user, by=user)


@transaction.atomic
def take_away(*, organization: Organization, user: User, role: Role) -> None:
    """
    Take a role back from who got it by a programme of the organization, if he still has it.

    His last one ends his membership. Whoever calls has asked whether it may be done.
    """
    lock_organization(organization)
    assigned = _assigned(organization, user)
    taken = [one for one in assigned if one.role == role]
    if not taken:
        return
    if taken == assigned:
        _end_membership(organization, user, assigned, action="member.remove")
        return
    UserRole.objects.filter(pk__in=[one.pk for one in taken]).delete()
    audit.record(
        action="role.remove",
        organization=organization,
        object_id=user.public_id,
        before={"role": role.name},
    )


def _end_membership(
    organization: Organization, user: User, assigned: Sequence[UserRole], *, action: str
) -> None:
    UserRole.objects.filter(pk__in=[one.pk for one in assigned]).delete()
    for own in ApiKey.objects.filter(
        organization=organization, created_by=user, revoked_at=None
    ).order_by("id"):
        keys.revoke_key(key=own)
    revoke_invitations_of(organization=organization, inviter=user)
    audit.record(
        action=action,
        organization=organization,
        object_id=user.public_id,
        before={"roles": [one.role.name for one in assigned]},
    )
    membership_ended.send(sender=User, organization=organization, user=user)


def _roles_of(organization: Organization, user: User) -> list[UserRole]:
    """Return the member's roles, locked, the oldest first; NotFound if he has none."""
    assigned = _assigned(organization, user)
    if not assigned:
        raise NotFound
    return assigned


def _assigned(organization: Organization, user: User) -> list[UserRole]:
    return list(
        UserRole.objects.select_for_update(of=("self",))
        .filter(organization=organization, user=user)
        .select_related("role")
        .order_by("created_at", "id")
    )


def _check_known(organization: Organization, roles: Collection[Role]) -> None:
    known = selectors.roles_in(organization).filter(pk__in=[role.pk for role in roles])
    if known.count() != len(roles):
        raise NotFound


def _replace(
    assigned: Sequence[UserRole], *, coming: Sequence[Role], going: Sequence[UserRole]
) -> None:
    """Write what comes over what goes; since when he belongs here stays true."""
    member = assigned[0]
    since = member.created_at
    for row, role in zip(going, coming, strict=False):
        row.role = role
        row.save(update_fields=["role", "updated_at"])
    for role in coming[len(going) :]:
        UserRole.objects.create(organization=member.organization, user=member.user, role=role)
    gone = [row.pk for row in going[len(coming) :]]
    UserRole.objects.filter(pk__in=gone).delete()
    if member.pk in gone:
        oldest = next(row for row in assigned if row.pk not in gone)
        UserRole.objects.filter(pk=oldest.pk).update(created_at=since)


def _has_owner(roles: Iterable[Role]) -> bool:
    return any(role.is_system_role and role.name == OWNER.name for role in roles)
