"""Expire: do what time alone has made due."""

from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import Expire
from apps.credits.ledger.state import Entry, State, WalletState


def apply(book: Book, wallet: WalletState, command: Expire) -> list[Entry]:
    """Expire lots and release holds that are due; none is nothing to be refused for."""
    return book.bring_up_to_date(wallet)


def earlier(state: State, command: Expire) -> Outcome | None:
    """Find nothing: each lot has a cause of its own, so that a repeat finds nothing due."""
    return None
