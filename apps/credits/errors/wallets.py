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


class NoWalletOfOwn(DomainError):
    """Whoever only spends what a partner gave him has no share in the organization's credits."""

    code = "no_wallet_of_own"
    title = "No credits of your own"
    message = (
        "You have no credits of your own here. Follow the link in the mail of the programme, or"
        " ask who runs it."
    )
    status = 409


class WalletIsHeld(DomainError):
    """A wallet belongs to one person, and a person has one wallet in an organization."""

    code = "wallet_is_held"
    title = "The wallet has another holder"
    message = "The wallet is another person's, or this person has another one here."
    status = 409
