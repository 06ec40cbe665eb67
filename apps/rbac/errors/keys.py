"""Refusals of API keys."""

from apps.core.errors import DomainError


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
