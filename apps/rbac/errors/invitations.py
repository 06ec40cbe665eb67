"""Refusals of invitations."""

from apps.core.errors import DomainError


class AlreadyMember(DomainError):
    """Who belongs to the organization needs no invitation."""

    code = "already_member"
    title = "The address belongs to a member"
    message = "{email} belongs to the organization already."
    status = 409


class InvitationExists(DomainError):
    """An address has one open invitation to an organization at most."""

    code = "invitation_exists"
    title = "There is an open invitation"
    message = "{email} has an open invitation already. Send it again, or revoke it first."
    status = 409


class InvalidAddress(DomainError):
    """What was given is no e-mail address."""

    code = "invalid_address"
    title = "This is no e-mail address"
    message = "{email} is no e-mail address."


class TooManyAddresses(DomainError):
    """More addresses at once than are read in one request."""

    code = "too_many_addresses"
    title = "Too many addresses"
    message = "At most {most} addresses can be invited at once."


class InvitationLimitReached(DomainError):
    """The organization sent as many invitations as it may in 24 hours."""

    code = "invitation_limit_reached"
    title = "Too many invitations in one day"
    message = "At most {limit} invitations can be sent in 24 hours. Go on later."
    status = 429


class InvitationSentRecently(DomainError):
    """The same invitation went out a short time ago; the pause grows with each repetition."""

    code = "invitation_sent_recently"
    title = "The invitation was sent a short time ago"
    message = "This invitation can be sent again in {retry_after} s."
    status = 429


class InvitationNotOpen(DomainError):
    """The invitation was accepted, revoked, or is past its time."""

    code = "invitation_not_open"
    title = "The invitation is not open any more"
    message = "This invitation is {state}. Ask for a new one if you need it."
    status = 409


class InvitationForAnother(DomainError):
    """An invitation counts for the address that it was sent to, and for no other."""

    code = "invitation_for_another"
    title = "The invitation is for another address"
    message = "This invitation is for {email}. Sign in with the account of that address."
    status = 403


class AddressNotVerified(DomainError):
    """Whoever accepts must have shown that the invited address is his."""

    code = "address_not_verified"
    title = "The address is not verified"
    message = "Verify {email} in your account first, then accept the invitation."
    status = 403


class AccountExists(DomainError):
    """The invited address has an account; its owner signs in instead of signing up."""

    code = "account_exists"
    title = "There is an account with this address"
    message = "There is an account with the address {email}. Sign in to accept the invitation."
    status = 409


class InvitationNotBacked(DomainError):
    """Whoever invited may not invite, or not to this role, any more."""

    code = "invitation_not_backed"
    title = "The invitation does not count any more"
    message = "Whoever sent this invitation may not give the role {role} now. Ask for a new one."
    status = 409


class ConfirmationRequired(DomainError):
    """A step that could be misused at an unlocked screen, long after the password was shown."""

    code = "confirmation_required"
    title = "Confirm that it is you"
    message = (
        "This asks for your password or second factor if you have not shown it in the last "
        "{minutes} minutes. Do that at /accounts/reauthenticate/ and send the request again."
    )
    status = 403
