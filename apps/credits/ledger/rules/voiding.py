"""Void: take back what remains of one lot."""

from apps.credits.errors import LotHasLess, LotNotFound
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import ChangeExpiry, ClawBack, FreezeLot, Reinstate, Void
from apps.credits.ledger.state import Entry, LotState, State, WalletState


def apply(book: Book, wallet: WalletState, command: Void) -> list[Entry]:
    """
    Take the amount, or all that remains, out of the lot; what is held stays held.

    :raises LotNotFound: if the wallet has no such lot.
    :raises LotHasLess: if less remains of it, or nothing.
    """
    lot = lot_of(book.state, command)
    amount = lot.remaining if command.amount is None else command.amount
    if amount > lot.remaining or lot.remaining <= 0:
        raise LotHasLess(remaining=max(0, lot.remaining))
    return [book.move(wallet, lot, "voided", -amount, command)]


def is_same(state: State, command: Void, earlier: Outcome) -> bool:
    """Tell whether the same was taken from the same lot."""
    first = earlier.entries[0]
    return (first.transaction_type, first.lot_id) == ("voided", command.lot_id) and (
        command.amount in (None, -first.amount)
    )


def lot_of(
    state: State, command: Void | ChangeExpiry | ClawBack | Reinstate | FreezeLot
) -> LotState:
    """
    Return the lot that the command is about.

    :raises LotNotFound: if the wallet has no such lot of credits.
    """
    lot = state.lots.get(command.wallet_id, {}).get(command.lot_id)
    if lot is None or lot.is_debt:
        raise LotNotFound
    return lot
