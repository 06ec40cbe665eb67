"""Refusals of tenants."""

from apps.core.errors import DomainError


class SlugTaken(DomainError):
    """Another organization has this name in its addresses."""

    code = "slug_taken"
    title = "The address is taken"
    message = "Another organization uses the address {slug}. Choose another."
    status = 409


class EmailTaken(DomainError):
    """Somebody signed up with this address at the same moment."""

    code = "email_taken"
    title = "The address belongs to another account"
    message = "There is an account with this e-mail address. Sign in, or reset its password."
    status = 409


class SlugLimitReached(DomainError):
    """Each slug stays with its organization, so nobody may collect them."""

    code = "slug_limit_reached"
    title = "The address was changed too often"
    message = "An organization keeps every address it had, and may have {limit} at most."
    status = 409


class OrganizationLimitReached(DomainError):
    """One person has made as many organizations as he may."""

    code = "organization_limit_reached"
    title = "No more organizations"
    message = "You own {limit} organizations, which is the most that one person may make."
    status = 409


class NotConfirmed(DomainError):
    """What was typed is not what had to be typed."""

    code = "not_confirmed"
    title = "The confirmation does not match"
    message = "Type {expected} to confirm."


class OrganizationNotActive(DomainError):
    """Staff have deactivated it, or its owner has closed it."""

    code = "organization_not_active"
    title = "The organization is not active"
    message = "The organization is {standing}, so this cannot be done."
    status = 409


class ReopeningTooLate(DomainError):
    """It was closed so long ago that only staff may open it again."""

    code = "reopening_too_late"
    title = "It is too late to undo this"
    message = "A closed organization can be opened again for {days} days. Ask support."


class SecondFactorRequired(DomainError):
    """The place opens only to those who have shown a second factor in this session."""

    code = "second_factor_required"
    title = "A second factor is required"
    message = (
        "{place} opens only with a second factor. Set one up, or show the one that you have, "
        "at /account/second-factor/."
    )
    status = 403


class OwnSecondFactorMissing(DomainError):
    """Nobody locks an organization with a key that he does not have."""

    code = "own_second_factor_missing"
    title = "You have no second factor yourself"
    message = "Set up a second factor of your own before you require one of others."
    status = 409


class UnknownSetting(DomainError):
    """Nothing reads a value of this key."""

    code = "unknown_setting"
    title = "The setting is not known"
    message = "There is no setting {key}."
    status = 404


class InvalidSetting(DomainError):
    """The value is of another type, or too small or large."""

    code = "invalid_setting"
    title = "The value cannot be set"
    message = "{key} takes {rule}."
    status = 422


class AdminRequired(DomainError):
    """Only superusers may change it."""

    code = "admin_required"
    title = "Only superusers may change this"
    message = "The setting {key} can be changed by superusers only."
    status = 403
