"""Refusals of membership and ownership."""

from apps.core.errors import DomainError


class MemberLimitReached(DomainError):
    """All seats are taken."""

    code = "member_limit_reached"
    title = "The organization is full"
    message = (
        "The organization may have {limit} members. It has {members}, and {invited} open "
        "invitations. Remove a member or revoke an invitation, or ask for more seats."
    )
    status = 409


class LastOwner(DomainError):
    """Somebody has to answer for the organization."""

    code = "last_owner"
    title = "An organization needs an owner"
    message = "This would leave the organization without an owner. Make somebody else one first."
    status = 409


class NotAnOwner(DomainError):
    """Only an owner hands it over, or steps down."""

    code = "not_an_owner"
    title = "You do not own it"
    message = "Only an owner of the organization can do this."
    status = 403


class NotAMember(DomainError):
    """Ownership is handed to somebody who belongs there."""

    code = "not_a_member"
    title = "The person is not a member"
    message = "The new owner must be another active member of the organization."


class TransferPending(DomainError):
    """One after the other."""

    code = "transfer_pending"
    title = "A transfer is waiting"
    message = "A transfer of ownership waits for an answer already. Withdraw it first."
    status = 409


class TransferEnded(DomainError):
    """It was answered, withdrawn, or has expired, or the one who asked owns it no more."""

    code = "transfer_ended"
    title = "The transfer is over"
    message = "This transfer of ownership is not open any more."
    status = 409
