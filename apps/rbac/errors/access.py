"""Refusals of roles and scopes."""

from apps.core.errors import DomainError, PermissionDenied


class ScopeMissing(PermissionDenied):
    """The API key was not given the scope that this needs."""

    message = "This needs an API key with the scope {scope}. Make a new key that has it."


class PersonRequired(PermissionDenied):
    """No API key may do this, whatever its scopes."""

    message = "This needs the permission {permission} and a signed-in person; no API key has it."


class OrganizationRequired(DomainError):
    """A person of several organizations did not say which one he means."""

    code = "organization_required"
    title = "Which organization?"
    message = (
        "You belong to several organizations. Name one in the header Coffer-Organization: org_…."
    )


class StaffRoleIsGlobal(DomainError):
    """A role for staff has no meaning inside one organization."""

    code = "staff_role_is_global"
    title = "The role is for staff"
    message = "The role {role} is for staff: it is given without an organization."


class UnknownRole(DomainError):
    """There is no such role that could be given in this organization."""

    code = "unknown_role"
    title = "The role is not known"
    message = "There is no role {role} in this organization."


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
