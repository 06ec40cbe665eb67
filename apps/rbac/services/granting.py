"""Nobody gives, changes or takes what he could not do himself."""

from collections.abc import Collection
from uuid import UUID

from apps.rbac.errors import MemberOutranksYou, RoleNotHeld
from apps.rbac.models import Role, RolePermission, UserRole


def check_may_give(role: Role, held: Collection[str]) -> None:
    """
    Check that whoever gives the role may do all that it allows.

    :raises RoleNotHeld: naming a permission that he lacks.
    """
    missing = _codes([role.pk]) - set(held)
    if missing:
        raise RoleNotHeld(role=role.name, permission=min(missing))


def check_rank(assigned: Collection[UserRole], held: Collection[str]) -> None:
    """
    Check that whoever changes a member may do all that the member may do.

    :raises MemberOutranksYou: naming a permission that he lacks.
    """
    missing = _codes([one.role_id for one in assigned]) - set(held)
    if missing:
        raise MemberOutranksYou(permission=min(missing))


def _codes(roles: Collection[UUID]) -> set[str]:
    granted = RolePermission.objects.filter(role__in=roles)
    return set(granted.values_list("permission__name", flat=True))
