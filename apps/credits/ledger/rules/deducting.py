"""Deduct: correct a balance downwards."""

from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import Deduct
from apps.credits.ledger.rules.charging import insufficient
from apps.credits.ledger.state import Entry, State, WalletState


def apply(book: Book, wallet: WalletState, command: Deduct) -> list[Entry]:
    """
    Take the amount out of the live lots in burn order, whatever events they are for.

    :raises InsufficientCredits: if the lots do not cover it.
    """
    lots = [lot for lot in book.state.lots_of(wallet.id) if lot.is_live(book.state.now)]
    available = sum(lot.remaining for lot in lots)
    if available < command.amount:
        raise insufficient(wallet, command.amount, available)
    return book.draw(wallet, lots, "adjusted", command.amount, command)


def is_same(state: State, command: Deduct, earlier: Outcome) -> bool:
    """Tell whether as much was deducted."""
    types = {entry.transaction_type for entry in earlier.entries}
    return types == {"adjusted"} and earlier.amount == -command.amount
