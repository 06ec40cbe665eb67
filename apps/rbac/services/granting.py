"""
Nobody gives, changes or takes what he could not do himself.

Whoever gives or takes anything locks first and asks then what he holds: what was taken from
him a moment ago he gives to nobody.
"""

from collections.abc import Collection

from django.db import connection

from apps.core.db import inside_transaction
from apps.core.errors import PermissionDenied
from apps.rbac.errors import MemberOutranksYou, PermissionNotHeld, RoleNotHeld
from apps.rbac.models import Role, UserRole
from apps.rbac.selectors import codes_of
from apps.tenants.models import Organization
from apps.tenants.services.organizations import lock_organization

GLOBAL_LOCK = 0x636F66_676C6F62  # any number that no other advisory lock has


@inside_transaction
def lock_roles(organization: Organization | None) -> None:
    """Let one at a time change who may do what: in the organization, or everywhere."""
    if organization is not None:
        lock_organization(organization)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GLOBAL_LOCK])


def check_may(code: str, held: Collection[str]) -> None:
    """
    Check that whoever asks still may do this.

    :raises PermissionDenied: if it was taken from him.
    """
    if code not in held:
        raise PermissionDenied(permission=code)


def check_held(codes: Collection[str], held: Collection[str]) -> None:
    """
    Check that whoever adds these to a role, or takes them from it, may do them.

    :raises PermissionNotHeld: naming all that he lacks.
    """
    if lacking := sorted(set(codes) - set(held)):
        raise PermissionNotHeld(permissions=", ".join(lacking))


def check_may_give(role: Role, held: Collection[str]) -> None:
    """
    Check that whoever gives the role may do all that it allows.

    :raises RoleNotHeld: naming a permission that he lacks.
    """
    if lacking := _codes([role]) - set(held):
        raise RoleNotHeld(role=role.name, permission=min(lacking))


def check_rank(assigned: Collection[UserRole], held: Collection[str]) -> None:
    """
    Check that whoever changes a member may do all that the member may do.

    :raises MemberOutranksYou: naming a permission that he lacks.
    """
    if lacking := _codes([one.role for one in assigned]) - set(held):
        raise MemberOutranksYou(permission=min(lacking))


def _codes(roles: Collection[Role]) -> frozenset[str]:
    """Return all that these roles allow together."""
    return frozenset().union(*codes_of(roles).values())
