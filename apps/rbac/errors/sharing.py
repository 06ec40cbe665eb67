"""Refusals of sharing with people outside."""

from apps.core.errors import DomainError, PermissionDenied


class PersonOnly(PermissionDenied):
    """It belongs to a person and to no organization, and so to none of its keys."""

    message = "This is for a signed-in person; no API key has it."


class SharePersonUnknown(DomainError):
    """Nobody signs in with this address."""

    code = "share_person_unknown"
    title = "There is no such person"
    message = "Nobody has an account with this address. Ask the person to sign up first."


class ShareWithMember(DomainError):
    """Members see what their roles allow; sharing is for people outside."""

    code = "share_with_member"
    title = "The person is a member"
    message = "This person belongs to the organization. Give a role that allows to see it."
    status = 409
