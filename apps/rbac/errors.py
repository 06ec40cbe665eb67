"""Refusals of rbac."""

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


class UnknownScope(DomainError):
    """There is no such scope."""

    code = "unknown_scope"
    title = "The scope is not known"
    message = "There is no scope {scope}."


class ScopeNotHeld(DomainError):
    """Nobody gives a key what he may not do himself."""

    code = "scope_not_held"
    title = "You cannot give this scope"
    message = "You may do nothing of what the scope {scope} allows, so you cannot give it to a key."
    status = 403


class ScopesRequired(DomainError):
    """A key without scopes could do nothing."""

    code = "scopes_required"
    title = "A key needs scopes"
    message = "Choose at least one thing that the key may do."


class ExpiryInThePast(DomainError):
    """The key would have ended before it began."""

    code = "expiry_in_the_past"
    title = "The expiry has passed"
    message = "Choose a time of expiry in the future."


class StaffRoleIsGlobal(DomainError):
    """A role for staff has no meaning inside one organization."""

    code = "staff_role_is_global"
    title = "The role is for staff"
    message = "The role {role} is for staff: it is given without an organization."
