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
