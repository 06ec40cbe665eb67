"""Refusals of scopes, and of callers who do not say what they mean."""

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
