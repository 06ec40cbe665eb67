"""Expire: write off what is past its date."""

from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import Expire
from apps.credits.ledger.state import Entry, State, WalletState


def apply(book: Book, wallet: WalletState, command: Expire) -> list[Entry]:
    """Write off every lot that is due; none is nothing to be refused for."""
    return book.expire_due_lots(wallet)


def is_same(state: State, command: Expire, earlier: Outcome) -> bool:
    """Tell whether what was done under this reference was an expiry."""
    return earlier.entries[0].transaction_type == "expired"
