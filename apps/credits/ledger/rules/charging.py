"""Charge: out of the open lots, in burn order."""

from apps.credits.errors import InsufficientCredits
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.state import Entry, State, WalletState


def apply(book: Book, wallet: WalletState, command: Charge) -> list[Entry]:
    """
    Draw the amount, one transaction for each lot that it touches.

    :raises InsufficientCredits: if the open lots do not cover it.
    """
    open_lots = [
        lot
        for lot in book.state.lots_of(wallet.id)
        if lot.is_open(book.state.now, command.features)
    ]
    available = sum(lot.remaining for lot in open_lots)
    if available < command.amount:
        raise InsufficientCredits(
            required=command.amount,
            available=available,
            held=wallet.held,
            shortfall=command.amount - available,
        )
    entries, due = [], command.amount
    for lot in open_lots:
        part = min(lot.remaining, due)
        entries.append(book.move(wallet, lot, "consumed", -part, command))
        due -= part
        if not due:
            break
    return entries


def is_same(state: State, command: Charge, earlier: Outcome) -> bool:
    """Tell whether the same amount was charged for the same version of the event."""
    first = earlier.entries[0]
    done = (first.transaction_type, earlier.amount, first.credit_event_id)
    return done == ("consumed", -command.amount, command.credit_event_id)
