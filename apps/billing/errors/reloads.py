"""Refusals of automatic reload."""

from apps.core.errors import DomainError


class ReloadNotOffered(DomainError):
    """Automatic reload is not to be had here: no price, or a tax that it could not add."""

    code = "reload_not_offered"
    title = "Automatic reload is not offered"
    message = "Automatic reload is not offered here now. Buy credits yourself when you need them."
    status = 409


class ConsentNeeded(DomainError):
    """Whoever turns it on has not agreed to what is charged. `text` is what he agrees to."""

    code = "consent_needed"
    title = "Agree to what is charged"
    message = "Agree to this first: {text}"
    status = 422


class ReloadTermsRefused(DomainError):
    """Threshold, amount or limit cannot be as they were given."""

    code = "reload_terms_refused"
    title = "Automatic reload cannot be set so"
    message = "{reason}"
    status = 422
