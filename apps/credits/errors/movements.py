"""Refusals of charges, refunds and grants."""

from apps.core.errors import DomainError


class InsufficientCredits(DomainError):
    """The wallet's open lots do not cover the amount; nothing was written."""

    code = "insufficient_credits"
    about = "credits"
    title = "Not enough credits"
    message = "This needs {required} credits; {available} are available ({held} are held)."
    status = 402


class ReferenceReused(DomainError):
    """The same cause was posted before, with another meaning."""

    code = "reference_reused"
    title = "The reference was used for something else"
    message = "The reference {reference} was posted before with other terms."
    status = 409


class ChargeNotFound(DomainError):
    """There is no charge with this reference in the wallet."""

    code = "charge_not_found"
    title = "There is no such charge"
    message = "The wallet has no charge with the reference {reference}."
    status = 404


class AlreadyRefunded(DomainError):
    """More was asked back than is left of the charge."""

    code = "already_refunded"
    title = "The charge was refunded before"
    message = "Of the charge {reference}, {refundable} credits can still be refunded."
    status = 409


class MoreThanClawedBack(DomainError):
    """More was to be given back to a lot than was taken back from it."""

    code = "more_than_clawed_back"
    title = "More than was taken back"
    message = "{clawed_back} credits of this lot were taken back; {asked} were to be given back."
    status = 409


class InvalidAmount(DomainError):
    """An amount of credits must be a whole number above zero."""

    code = "invalid_amount"
    title = "The amount is not valid"
    message = "The amount is {amount}; it must be a whole number from 1 to {largest}."
    status = 400


class InvalidReference(DomainError):
    """A cause needs a name, and the ledger's own names are made from it."""

    code = "invalid_reference"
    title = "The reference is not valid"
    message = "A reference has from 1 to {longest} characters."
    status = 400


class InvalidTerms(DomainError):
    """A term of what was asked for cannot be."""

    code = "invalid_terms"
    title = "A term is not valid"
    message = "{field} must {must}."
    status = 400


class UnknownCreditEvent(DomainError):
    """The price list has no active event of this name."""

    code = "unknown_credit_event"
    title = "There is no such credit event"
    message = "The price list has no active event called {name}."
    status = 400


class CycleNotOver(DomainError):
    """A cycle can be carried over only when its lot has expired."""

    code = "cycle_not_over"
    title = "The cycle is not over"
    message = "The lot of the old cycle has not expired yet. Renew when it has."
    status = 409


class CycleRenewed(DomainError):
    """What was left of a cycle is carried over once."""

    code = "cycle_renewed"
    title = "The cycle was carried over before"
    message = "What was left of the old cycle has been carried over to another one."
    status = 409
