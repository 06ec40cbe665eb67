"""Refusals of the ledger."""

from apps.core.errors import DomainError


class InsufficientCredits(DomainError):
    """The wallet's open lots do not cover the amount; nothing was written."""

    code = "insufficient_credits"
    title = "Not enough credits"
    message = "This needs {required} credits; {available} are available ({held} are held)."
    status = 402


class WalletFrozen(DomainError):
    """Credits may come into a frozen wallet, and not leave it."""

    code = "wallet_frozen"
    title = "The wallet is frozen"
    message = "This wallet is frozen: nothing can be spent from it. Ask support why."
    status = 409


class WalletClosed(DomainError):
    """Nothing moves in a closed wallet, except that lots expire."""

    code = "wallet_closed"
    title = "The wallet is closed"
    message = "This wallet is closed."
    status = 409


class ReferenceReused(DomainError):
    """The same cause was posted before, with another meaning."""

    code = "reference_reused"
    title = "The reference was used for something else"
    message = "The reference {reference} was posted before with another amount or type."
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


class InvalidAmount(DomainError):
    """An amount of credits must be a whole number above zero."""

    code = "invalid_amount"
    title = "The amount is not valid"
    message = "The amount is {amount}; it must be a whole number from 1 to {largest}."
    status = 400


class UnknownCreditEvent(DomainError):
    """The price list has no active event of this name."""

    code = "unknown_credit_event"
    title = "There is no such credit event"
    message = "The price list has no active event called {name}."
    status = 400


class LotExpiresTooEarly(DomainError):
    """A lot must end after it begins, and after now."""

    code = "lot_expires_too_early"
    title = "The lot would be dead at birth"
    message = (
        "A lot must expire after it begins and in the future; this one expires at {expires_at}."
    )
    status = 400
