"""The editor of roles: every permission against every role, and what was sent back of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from apps.core.errors import DomainError, NotFound
from apps.rbac.models import Role
from apps.rbac.permissions import PERMISSIONS, STAFF_CODES, PermissionCode
from apps.rbac.selectors import codes_of, held_by, holder_counts, roles_in
from apps.rbac.services.custom_roles import (
    RoleDifference,
    RoleDraft,
    change_roles,
    preview_roles,
)
from apps.tenants.models import Organization, User

FIELDS = ("version", "name", "description", "codes")  # each as `field-rol_…`
FormData = Mapping[str, Sequence[str]]  # each field with all its values


@dataclass(frozen=True)
class Column:
    """One role in the head of the editor."""

    role: Role
    name: str
    description: str
    holders: int  # people who have it there
    is_locked: bool


@dataclass(frozen=True)
class Cell:
    """Whether one role allows one thing, and whether the viewer may change that."""

    role: Role
    is_on: bool
    is_editable: bool


@dataclass(frozen=True)
class Line:
    """One permission and what each role says to it."""

    permission: PermissionCode
    cells: list[Cell]


@dataclass(frozen=True)
class Matrix:
    """The whole editor; permissions stand under what they are about."""

    columns: list[Column]
    groups: list[tuple[str, list[Line]]]

    @property
    def own(self) -> list[Column]:
        """The roles that can be changed."""
        return [column for column in self.columns if not column.is_locked]


@dataclass(frozen=True)
class Saved:
    """The roles are as they were sent; perhaps they were so before."""

    has_changed: bool

    @property
    def message(self) -> str:
        """What to tell the person."""
        if not self.has_changed:
            return "Nothing was changed."
        return "The roles are saved. They count from the next request on."


@dataclass(frozen=True)
class Preview:
    """What would be saved: each difference in words, and the fields that send it once more."""

    differences: list[dict[str, object]]
    fields: list[tuple[str, str]]


@dataclass(frozen=True)
class Refused:
    """Why nothing is saved, and what stays chosen in the editor."""

    refusal: DomainError
    drafts: list[RoleDraft]

    @property
    def status(self) -> int:
        """The HTTP status of the page that says so: it is there, also where a role in it is not."""
        return 409 if self.refusal.status == NotFound.status else self.refusal.status


def answer(data: FormData, where: Organization | None, *, by: User) -> Saved | Preview | Refused:
    """
    Do what the editor asks for: show what would change, or save it once that was confirmed.

    `where` is the organization whose roles these are; None has those that count everywhere.
    """
    drafts: list[RoleDraft] = []
    try:
        drafts = drafts_from(data, where, by=by)
        if data.get("step", [""])[-1] != "save":
            return _preview(drafts, where, by)
        change_roles(by=by, organization=where, drafts=drafts)
    except DomainError as refusal:
        # What somebody else changed meanwhile is shown; what can be mended stays chosen.
        return Refused(refusal, [] if refusal.status in (404, 412) else drafts)
    return Saved(has_changed=True)


def matrix_of(
    organization: Organization | None, *, by: User, drafts: Collection[RoleDraft] = ()
) -> Matrix:
    """Return the editor as the person may use it, with what he has chosen so far."""
    roles = sorted(roles_in(organization), key=lambda role: role.is_system_role)  # own ones first
    chosen = {draft.role_id: draft for draft in drafts}
    codes = codes_of(roles) | {
        draft.role_id: draft.codes for draft in drafts if draft.codes is not None
    }
    holders = holder_counts(roles, organization)
    held = held_by(by, organization)
    may_change = "roles.manage" in held
    columns = [_column(role, chosen.get(role.pk), holders[role.pk]) for role in roles]
    lines = [
        Line(
            one,
            [
                Cell(
                    role,
                    is_on=one.code in codes[role.pk],
                    is_editable=may_change and not role.is_system_role and one.code in held,
                )
                for role in roles
            ],
        )
        for one in permissions_for(organization)
    ]
    groups = groupby(lines, key=lambda line: line.permission.resource)
    return Matrix(columns, [(resource, list(found)) for resource, found in groups])


def permissions_for(organization: Organization | None) -> list[PermissionCode]:
    """Return what a role there can allow: what is for staff, only where it counts everywhere."""
    is_global = organization is None
    return [one for one in PERMISSIONS if is_global or one.code not in STAFF_CODES]


def drafts_from(data: FormData, organization: Organization | None, *, by: User) -> list[RoleDraft]:
    """
    Read what came back from the editor.

    Boxes that the person may not use are not sent by a browser: there, what is stays. One
    that comes all the same is read, so that it is refused and not passed over.

    :raises NotFound: if a role in it is none of the organization's any more.
    """
    sent = [name.partition("-")[2] for name in data if name.startswith("version-")]
    ids = [Role.read_id(public_id) for public_id in sent]
    roles = {role.pk: role for role in roles_in(organization).filter(pk__in=[*filter(None, ids)])}
    codes, held = codes_of(roles.values()), held_by(by, organization)
    drafts = []
    for public_id, role_id in zip(sent, ids, strict=True):
        if role_id is None or role_id not in roles:
            raise NotFound
        drafts.append(_draft(data, public_id, role_id, codes[role_id] - held))
    return drafts


def fields_of(differences: Iterable[RoleDifference]) -> list[tuple[str, str]]:
    """Return name and value of each field that sends these differences once more."""
    fields = []
    for one in differences:
        end = one.role.public_id
        fields += [
            (f"version-{end}", str(one.role.version)),
            (f"name-{end}", one.name),
            (f"description-{end}", one.description),
            *((f"codes-{end}", code) for code in sorted(one.codes)),
        ]
    return fields


def _preview(drafts: list[RoleDraft], where: Organization | None, by: User) -> Saved | Preview:
    found = preview_roles(by=by, organization=where, drafts=drafts)
    differences = [one for one in found if not one.is_empty]
    if not differences:
        return Saved(has_changed=False)
    return Preview([told(one) for one in differences], fields_of(differences))


def _column(role: Role, draft: RoleDraft | None, holders: int) -> Column:
    name, description = role.name, role.description
    if draft is not None:
        name = draft.name if draft.name is not None else name
        description = draft.description if draft.description is not None else description
    return Column(role, name, description, holders, is_locked=role.is_system_role)


def _draft(data: FormData, public_id: str, role_id: UUID, kept: frozenset[str]) -> RoleDraft:
    version = data[f"version-{public_id}"][-1]
    return RoleDraft(
        role_id,
        int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
        name=_text(data, f"name-{public_id}"),
        description=_text(data, f"description-{public_id}"),
        codes=kept | frozenset(data.get(f"codes-{public_id}", ())),
    )


def _text(data: FormData, name: str) -> str | None:
    """Return the last value of a field; an empty name is no name, so it stays as it was."""
    values = data.get(name)
    if not values or (name.startswith("name-") and not values[-1].strip()):
        return None
    return values[-1]


def told(difference: RoleDifference) -> dict[str, object]:
    """Return one difference in the words that the page of confirmation shows."""
    return {
        "difference": difference,
        "added": [one for one in PERMISSIONS if one.code in difference.added],
        "removed": [one for one in PERMISSIONS if one.code in difference.removed],
    }
