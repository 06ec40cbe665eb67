"""
Give and take one role: by staff, in any organization, or one that counts everywhere.

Members of an organization are changed by `members.set_roles`, which this calls.
"""

from django.db import transaction

from apps.core.errors import NotFound
from apps.rbac import selectors
from apps.rbac.errors import StaffRoleIsGlobal
from apps.rbac.models import Role, UserRole
from apps.rbac.services.granting import check_may, check_may_give, check_rank, lock_roles
from apps.rbac.services.members import TO_CHANGE, remove_member, set_roles
from apps.rbac.services.roles import assign_role, is_for_staff
from apps.tenants.models import Organization, User
from apps.tenants.services import audit


@transaction.atomic
def give_role(*, by: User, user: User, organization: Organization | None, role: Role) -> UserRole:
    """
    Give a person one role more; who belongs to the organization not yet, does then.

    :raises PermissionDenied: if the one who asks may not change members there.
    :raises StaffRoleIsGlobal: if a role for staff was to be given in an organization.
    :raises NotFound: if the role cannot be given there.
    :raises RoleNotHeld: if it allows what the one who asks may not do.
    :raises MemberLimitReached: if he would be one member more than the organization may have.
    """
    lock_roles(organization)
    held = selectors.held_by(by, organization)
    check_may(TO_CHANGE, held)
    if organization is not None and is_for_staff(role):
        raise StaffRoleIsGlobal(role=role.name)
    if not selectors.roles_in(organization).filter(pk=role.pk).exists():
        raise NotFound
    check_may_give(role, held)
    return assign_role(user=user, role=role, organization=organization)


@transaction.atomic
def take_role(*, by: User, user: User, organization: Organization | None, role: Role) -> None:
    """
    Take one role from a person; a member's last one ends his membership, with all it had.

    :raises PermissionDenied: if the one who asks may not change members there.
    :raises NotFound: if the person does not have the role.
    :raises MemberOutranksYou: if he may do more than the one who asks.
    :raises LastOwner: if nobody would be owner any more.
    """
    lock_roles(organization)
    present = set(selectors.roles_of_member(user, organization))
    if role not in present:
        raise NotFound
    left = present - {role}
    if organization is None:
        _take_everywhere(by=by, user=user, role=role)
    elif left:
        set_roles(organization=organization, user=user, roles=left, by=by)
    else:
        remove_member(organization=organization, user=user, by=by)


def _take_everywhere(*, by: User, user: User, role: Role) -> None:
    held = selectors.held_by(by, None)
    check_may(TO_CHANGE, held)
    assigned = UserRole.objects.select_related("role").get(user=user, role=role, organization=None)
    check_rank([assigned], held)
    assigned.delete()
    audit.record(action="role.remove", object_id=user.public_id, before={"role": role.name})
