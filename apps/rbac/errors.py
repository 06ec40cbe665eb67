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


class MemberLimitReached(DomainError):
    """All seats are taken."""

    code = "member_limit_reached"
    title = "The organization is full"
    message = "The organization may have {limit} members, and has {members}."
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


class KeyEnded(DomainError):
    """A key that works no more cannot be given a new secret."""

    code = "key_ended"
    title = "The key has ended"
    message = "This key is {key_status}. Make a new one."
    status = 409


class KeyRotatedMeanwhile(DomainError):
    """Somebody else gave the key a new secret since the caller looked at it."""

    code = "key_rotated_meanwhile"
    title = "The key has another secret by now"
    message = (
        "Somebody has rotated this key meanwhile: it begins and ends {hint}. Look at it again."
    )
    status = 409


class KeyRotationRuns(DomainError):
    """Both secrets are in use: a third would stop a program at once."""

    code = "key_rotation_runs"
    title = "The last rotation is not over"
    message = (
        "The new secret is in use, and the old one works until {works_until}. "
        "Wait until then, or end the old one first."
    )
    status = 409


class KeyAllowsMore(DomainError):
    """Whoever rotates a key learns a secret that acts as its maker."""

    code = "key_allows_more"
    title = "The key may do more than you"
    message = "This key may do {permission} and you may not, so you cannot be told its secret."
    status = 403


class OverlapTooLong(DomainError):
    """An old secret does not live on for ever."""

    code = "overlap_too_long"
    title = "The old secret would work too long"
    message = "The old secret can work for {days} more days at most."
