"""Make, change and delete roles of an organization, or roles that count everywhere."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from psycopg import errors as postgres

from apps.core.errors import NotFound
from apps.rbac.errors import (
    RoleChanged,
    RoleInUse,
    RoleLimitReached,
    RoleNameTaken,
    StaffPermissionIsGlobal,
    SystemRoleLocked,
    UnknownPermission,
)
from apps.rbac.models import Invitation, Permission, Role, RolePermission, UserRole
from apps.rbac.permissions import BY_CODE, STAFF_CODES
from apps.rbac.selectors import codes_of, held_by, holder_counts, roles_in
from apps.rbac.services.granting import check_held, check_may, lock_roles
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

TO_CHANGE = "roles.manage"
MOST_ROLES = 30  # of one organization's own; the editor shows all of them at once
NAME_RULE = "rbac_role_name_is_unique_in_its_organization"


@dataclass(frozen=True)
class RoleDraft:
    """How somebody wants a role to be, and which version of it he saw; None stays as it is."""

    role_id: UUID
    version: int
    name: str | None = None
    description: str | None = None
    codes: frozenset[str] | None = None


@dataclass(frozen=True)
class RoleDifference:
    """What a draft would change, for the page that asks before it is saved."""

    role: Role
    name: str
    description: str
    codes: frozenset[str]  # all that the role would allow
    added: frozenset[str]
    removed: frozenset[str]
    holders: int  # people who have the role

    @property
    def is_renamed(self) -> bool:
        """Whether it would be called differently."""
        return self.name != self.role.name

    @property
    def is_described(self) -> bool:
        """Whether its description would differ."""
        return self.description != self.role.description

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.added or self.removed or self.is_renamed or self.is_described)


@transaction.atomic
def create_role(
    *,
    by: User,
    organization: Organization | None,
    name: str,
    description: str = "",
    codes: Collection[str] = (),
) -> Role:
    """
    Make a role that allows nothing but what its maker may do himself.

    :raises PermissionDenied: if he may not make roles.
    :raises UnknownPermission: if there is no such permission.
    :raises StaffPermissionIsGlobal: if one is for staff, and the role is an organization's.
    :raises PermissionNotHeld: if he lacks one of them.
    :raises RoleNameTaken: if a role of the organization, or a system role, has the name.
    :raises RoleLimitReached: if the organization has no room for another.
    """
    lock_roles(organization)
    held = held_by(by, organization)
    check_may(TO_CHANGE, held)
    check_codes(codes, organization)
    check_held(codes, held)
    own = Role.objects.filter(organization=organization, is_system_role=False)
    if own.count() >= MOST_ROLES:
        raise RoleLimitReached(limit=MOST_ROLES)
    role = Role(organization=organization, name=name.strip(), description=description.strip())
    _save(role)
    _write_codes(role, added=frozenset(codes))
    audit.record(
        action="role.create",
        organization=organization,
        object_id=role.public_id,
        after=_facts(role.name, role.description, frozenset(codes)),
    )
    return role


def preview_roles(
    *, by: User, organization: Organization | None, drafts: Sequence[RoleDraft]
) -> list[RoleDifference]:
    """
    Return what the drafts would change, and write nothing.

    :raises DomainError: where `change_roles` would refuse, except for a name that is taken.
    """
    held = held_by(by, organization)
    check_may(TO_CHANGE, held)
    return _differences(organization, drafts, held)


@transaction.atomic
def change_roles(
    *, by: User, organization: Organization | None, drafts: Sequence[RoleDraft]
) -> list[Role]:
    """
    Change roles, all of them or none; who has one may do so from his next request on.

    :raises PermissionDenied: if the person may not change roles.
    :raises NotFound: if one is not a role of the organization.
    :raises SystemRoleLocked: if one is a system role.
    :raises RoleChanged: if one was changed since the person read it.
    :raises UnknownPermission: if there is no such permission.
    :raises StaffPermissionIsGlobal: if one is for staff, and the role is an organization's.
    :raises PermissionNotHeld: if a permission that comes or goes is not his own.
    :raises RoleNameTaken: if another role has the name.
    """
    lock_roles(organization)
    held = held_by(by, organization)
    check_may(TO_CHANGE, held)
    changed = _differences(organization, drafts, held)
    for difference in changed:
        if not difference.is_empty:
            _apply(difference)
    return [difference.role for difference in changed]


@transaction.atomic
def delete_role(*, by: User, role: Role, version: int) -> None:
    """
    Delete a role that nobody has.

    :raises PermissionDenied: if the person may not change roles.
    :raises NotFound: if it was deleted before.
    :raises SystemRoleLocked: if it is a system role.
    :raises RoleChanged: if it was changed since the person read it.
    :raises PermissionNotHeld: if it allows what the person may not do.
    :raises RoleInUse: if somebody has it, or is invited to have it.
    """
    lock_roles(role.organization)
    held = held_by(by, role.organization)
    check_may(TO_CHANGE, held)
    # As a draft that takes everything away: the same is asked of it.
    draft = RoleDraft(role.pk, version, codes=frozenset())
    difference = _differences(role.organization, [draft], held)[0]
    found = difference.role
    members = UserRole.objects.filter(role=found).count()
    invited = Invitation.objects.filter(role=found, status=Invitation.Status.PENDING).count()
    if members or invited:
        raise RoleInUse(role=found.name, members=members, invitations=invited)
    audit.record(
        action="role.delete",
        organization=found.organization,
        object_id=found.public_id,
        before=_facts(found.name, found.description, difference.removed),
    )
    found.delete()


def check_codes(codes: Collection[str], organization: Organization | None) -> None:
    """
    Check that a role there can have these permissions.

    :raises UnknownPermission: if there is no such permission.
    :raises StaffPermissionIsGlobal: if one is for staff, and the role is an organization's.
    """
    for code in sorted(codes):
        if code not in BY_CODE:
            raise UnknownPermission(permission=code)
        if organization is not None and code in STAFF_CODES:
            raise StaffPermissionIsGlobal(permission=code)


def _differences(
    organization: Organization | None, drafts: Sequence[RoleDraft], held: frozenset[str]
) -> list[RoleDifference]:
    wanted = [draft.role_id for draft in drafts]
    roles = {role.pk: role for role in roles_in(organization).filter(pk__in=wanted)}
    codes = codes_of(roles.values())
    holders = holder_counts(roles.values(), organization)
    found = []
    for draft in drafts:
        role = roles.get(draft.role_id)
        if role is None:
            raise NotFound
        if role.is_system_role:
            raise SystemRoleLocked(role=role.name)
        if role.version != draft.version:
            raise RoleChanged(role=role.name)
        before = codes[role.pk]
        after = before if draft.codes is None else draft.codes
        check_codes(after - before, organization)
        check_held(after ^ before, held)
        found.append(_difference(role, draft, before, after, holders[role.pk]))
    return found


def _difference(
    role: Role, draft: RoleDraft, before: frozenset[str], after: frozenset[str], holders: int
) -> RoleDifference:
    return RoleDifference(
        role=role,
        name=role.name if draft.name is None else draft.name.strip(),
        description=role.description if draft.description is None else draft.description.strip(),
        codes=after,
        added=after - before,
        removed=before - after,
        holders=holders,
    )


def _apply(difference: RoleDifference) -> None:
    role = difference.role
    codes_before = (difference.codes | difference.removed) - difference.added
    before = _facts(role.name, role.description, codes_before)
    role.name, role.description = difference.name, difference.description
    role.version += 1
    _save(role)
    _write_codes(role, added=difference.added, removed=difference.removed)
    audit.record(
        action="role.update",
        organization=role.organization,
        object_id=role.public_id,
        before=before,
        after=_facts(role.name, role.description, difference.codes),
    )


def _save(role: Role) -> None:
    """Insert or update; the database says whether the name is free, so that twins lose too."""
    system = Role.objects.filter(is_system_role=True, name__iexact=role.name)
    if system.exists():  # two that look alike would deceive who gives them
        raise RoleNameTaken(name=role.name, field="name")
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, postgres.UniqueViolation) and NAME_RULE in str(cause):
            raise RoleNameTaken(name=role.name, field="name") from error
        raise


def _write_codes(
    role: Role, *, added: frozenset[str], removed: frozenset[str] = frozenset()
) -> None:
    RolePermission.objects.filter(role=role, permission__name__in=removed).delete()
    permissions = Permission.objects.filter(name__in=added).order_by("name")
    RolePermission.objects.bulk_create(
        [RolePermission(role=role, permission=permission) for permission in permissions]
    )


def _facts(name: str, description: str, codes: frozenset[str]) -> dict[str, object]:
    return {"name": name, "description": description, "permissions": sorted(codes)}
