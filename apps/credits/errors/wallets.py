"""Refusals of wallets."""

from apps.core.errors import DomainError


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


class WalletHasHolds(DomainError):
    """A wallet in which credits are held cannot be closed."""

    code = "wallet_has_holds"
    title = "Credits are held"
    message = "{held} credits are held in this wallet. Capture or release them first."
    status = 409


class WalletInDebt(DomainError):
    """The wallet owes more than it would be allowed to."""

    code = "wallet_in_debt"
    title = "The wallet owes credits"
    message = "This wallet owes {debt} credits. They must be repaid first."
    status = 409
