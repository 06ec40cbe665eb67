"""ChangeStatus and SetCreditLine: what the wallet may do. They move no credits."""

from datetime import datetime

from apps.credits.errors import InvalidTerms, WalletHasHolds, WalletInDebt
from apps.credits.ledger.book import Book
from apps.credits.ledger.commands import ChangeStatus, SetCreditLine
from apps.credits.ledger.state import Entry, WalletState

LARGEST_CREDIT_LINE = 10**15  # credits


def change(book: Book, wallet: WalletState, command: ChangeStatus) -> list[Entry]:
    """
    Freeze or thaw, close or reopen; credits in a closed wallet wait there until they expire.

    :raises WalletHasHolds: if it shall be closed while credits are held.
    :raises WalletInDebt: if it shall be closed while credits are owed.
    """
    if command.is_closed:
        if wallet.held:
            raise WalletHasHolds(held=wallet.held)
        if debt := -sum(lot.remaining for lot in book.state.debts_of(wallet.id)):
            raise WalletInDebt(debt=debt)
    now = book.state.now
    wallet.frozen_at = _since(wallet.frozen_at, command.is_frozen, now)
    wallet.closed_at = _since(wallet.closed_at, command.is_closed, now)
    book.plan.wallets[wallet.id] = wallet
    return []


def set_credit_line(book: Book, wallet: WalletState, command: SetCreditLine) -> list[Entry]:
    """
    Set how much the wallet may owe.

    :raises InvalidTerms: if it is below 0, or beyond all reason.
    :raises WalletInDebt: if more is owed already.
    """
    if not 0 <= command.limit <= LARGEST_CREDIT_LINE:
        raise InvalidTerms(field="limit", must=f"be from 0 to {LARGEST_CREDIT_LINE}")
    debt = -sum(lot.remaining for lot in book.state.debts_of(wallet.id)) - wallet.owed_back
    if command.limit < debt:
        raise WalletInDebt(debt=debt)
    wallet.credit_line = command.limit
    book.plan.wallets[wallet.id] = wallet
    return []


def _since(moment: datetime | None, wanted: bool | None, now: datetime) -> datetime | None:
    """Return since when it is so: what is so already stays as it is."""
    if wanted is None:
        return moment
    return (moment or now) if wanted else None
