"""Keep the tables of permissions and system roles equal to the page in permissions.py."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from apps.rbac.errors import StaffRoleIsGlobal
from apps.rbac.models import Permission, Role, RolePermission, UserRole
from apps.rbac.permissions import PERMISSIONS, STAFF_ROLES, SYSTEM_ROLES
from apps.rbac.services import seats
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

LOCKED_ROLES = (*SYSTEM_ROLES, *STAFF_ROLES)
SYNC_LOCK = 0x636F66_726F6C65  # any number that no other advisory lock has


@transaction.atomic
def sync_permissions() -> None:
    """
    Write permissions and system roles into their tables, and remove what is gone.

    A permission that is gone leaves the organizations' own roles, too. Safe to repeat,
    and to run from two starting processes at once.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])
    with system_roles_unlocked():
        _sync_codes()
        _sync_roles()
        _sync_roles_permissions()


@contextmanager
def system_roles_unlocked() -> Iterator[None]:
    """Let this block write system roles, which the database refuses to everyone else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('coffer.writes_system_roles', 'on', true)")
        yield
        cursor.execute("SELECT set_config('coffer.writes_system_roles', '', true)")


@transaction.atomic
def assign_role(*, user: User, role: Role, organization: Organization | None) -> UserRole:
    """
    Give a person a role in an organization, or everywhere; nothing is doubled.

    :raises StaffRoleIsGlobal: if a role for staff was to be given in an organization.
    :raises MemberLimitReached: if he would be one member more than the organization may have.
    """
    if organization is not None and is_for_staff(role):
        raise StaffRoleIsGlobal(role=role.name)
    if organization is not None:
        seats.take_seat(organization=organization, user=user, roles=[role])
    assignment, is_new = UserRole.objects.get_or_create(
        user=user, role=role, organization=organization
    )
    if is_new:
        audit.record(
            action="role.assign",
            organization=organization,
            object_id=user.public_id,
            after={"role": role.name},
        )
    return assignment


def is_for_staff(role: Role) -> bool:
    """Tell whether it is one of the roles that only count everywhere."""
    return role.is_system_role and role.name in {one.name for one in STAFF_ROLES}


def system_role(name: str) -> Role:
    """Return the system role with this name."""
    return Role.objects.get(name=name, organization=None, is_system_role=True)


def _sync_codes() -> None:
    Permission.objects.exclude(name__in=[one.code for one in PERMISSIONS]).delete()
    Permission.objects.bulk_create(
        [
            Permission(
                name=one.code,
                description=one.description,
                resource=one.resource,
                action=one.action,
            )
            for one in PERMISSIONS
        ],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["description", "resource", "action"],
    )


def _sync_roles() -> None:
    kept = {role.name: role for role in Role.objects.filter(is_system_role=True)}
    for role in LOCKED_ROLES:
        row = kept.pop(role.name, None) or Role(name=role.name, is_system_role=True)
        if row._state.adding or row.description != role.description:
            row.description = role.description
            row.save()
    # PROTECT refuses while someone holds such a role: the migration that renames it must say
    # what becomes of him.
    Role.objects.filter(pk__in=[row.pk for row in kept.values()]).delete()


def _sync_roles_permissions() -> None:
    codes = dict(Permission.objects.values_list("name", "pk"))
    roles = dict(Role.objects.filter(is_system_role=True).values_list("name", "pk"))
    wanted = {(roles[one.name], codes[code]) for one in LOCKED_ROLES for code in one.codes}
    kept = RolePermission.objects.filter(role__is_system_role=True)
    rows = kept.values_list("pk", "role", "permission")
    found = {(role, permission): pk for pk, role, permission in rows}
    RolePermission.objects.filter(pk__in=[found[pair] for pair in found.keys() - wanted]).delete()
    RolePermission.objects.bulk_create(
        [
            RolePermission(role_id=role, permission_id=permission)
            for role, permission in sorted(wanted - found.keys())
        ]
    )
