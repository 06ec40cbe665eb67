"""Refusals of roles: what they are called, what they allow, and who may give them."""

from apps.core.errors import DomainError


class UnknownRole(DomainError):
    """There is no such role that could be given in this organization."""

    code = "unknown_role"
    title = "The role is not known"
    message = "There is no role {role} in this organization."


class StaffRoleIsGlobal(DomainError):
    """A role for staff has no meaning inside one organization."""

    code = "staff_role_is_global"
    title = "The role is for staff"
    message = "The role {role} is for staff: it is given without an organization."


class RoleNotHeld(DomainError):
    """Nobody gives a role that allows more than he may do himself."""

    code = "role_not_held"
    title = "You cannot give this role"
    message = "The role {role} allows {permission}, which you may not do, so you cannot give it."
    status = 403


class MemberOutranksYou(DomainError):
    """Nobody changes or removes a member who may do more than he may himself."""

    code = "member_outranks_you"
    title = "This member may do more than you"
    message = "This member may do {permission}, which you may not, so you cannot change this."
    status = 403


class PermissionNotHeld(DomainError):
    """Nobody adds to a role, or takes from it, what he may not do himself."""

    code = "permission_not_held"
    title = "You do not hold this permission"
    message = "You cannot give or take away what you may not do yourself: {permissions}."
    status = 403


class RolesRequired(DomainError):
    """A member without a role would be no member."""

    code = "roles_required"
    title = "A member needs a role"
    message = "A member has at least one role. To end the membership, remove the member."


class RoleNameTaken(DomainError):
    """Another role of the organization, or a system role, has this name."""

    code = "role_name_taken"
    title = "The name is taken"
    message = "There is a role called {name} already. Choose another name."
    status = 409


class SystemRoleLocked(DomainError):
    """System roles are the same everywhere, and are changed by a release alone."""

    code = "system_role_locked"
    title = "System roles cannot be changed"
    message = "{role} is a system role, which nobody changes. Make a role of your own instead."
    status = 409


class RoleInUse(DomainError):
    """Somebody has the role, or is invited to it."""

    code = "role_in_use"
    title = "The role is in use"
    message = (
        "{role} is in use (people: {members}, open invitations: {invitations}). "
        "Give the people another role and revoke the invitations first."
    )
    status = 409


class RoleLimitReached(DomainError):
    """An organization has no room for another role of its own."""

    code = "role_limit_reached"
    title = "There are too many roles"
    message = "An organization has at most {limit} roles of its own. Delete one, or change one."
    status = 409


class RoleChanged(DomainError):
    """Somebody changed the role since it was read; what was sent is not written over that."""

    code = "role_changed"
    title = "Somebody else changed the role"
    message = "{role} was changed since you read it. Nothing was saved: look again and decide."
    status = 412


class VersionRequired(DomainError):
    """A change came without saying which version of the object it is a change of."""

    code = "version_required"
    title = "If-Match is required"
    message = 'Send the ETag that you got with the object as If-Match: "{example}".'
    status = 428


class UnknownPermission(DomainError):
    """There is no such permission."""

    code = "unknown_permission"
    title = "The permission is not known"
    message = "There is no permission {permission}."


class StaffPermissionIsGlobal(DomainError):
    """A permission for staff has no meaning in a role of an organization."""

    code = "staff_permission_is_global"
    title = "The permission is for staff"
    message = "The permission {permission} is for staff: no role of an organization has it."
