"""ChangeExpiry: another date is another lot; the old one's terms are never edited."""

from dataclasses import replace

from apps.core import ids
from apps.credits.errors import LotExpiresTooEarly, LotFrozen, LotHasLess
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import ChangeExpiry
from apps.credits.ledger.rules.voiding import lot_of
from apps.credits.ledger.state import Entry, State, WalletState


def apply(book: Book, wallet: WalletState, command: ChangeExpiry) -> list[Entry]:
    """
    Move what remains to a lot with the new date and the same kind, cost and priority.

    :raises LotNotFound: if the wallet has no such lot.
    :raises LotHasLess: if nothing remains of it, or what does is about to go back.
    :raises LotFrozen: if it is frozen: whose credits they are is open.
    :raises LotExpiresTooEarly: if the new date has passed.
    """
    lot = lot_of(book.state, command)
    amount = lot.remaining
    if amount <= 0 or lot.is_expired(book.state.now):
        raise LotHasLess(remaining=0)
    if lot.is_frozen:
        raise LotFrozen
    if command.expires_at and command.expires_at <= max(book.state.now, lot.effective_at):
        raise LotExpiresTooEarly(expires_at=command.expires_at.isoformat())
    successor = replace(
        lot,
        id=ids.new_id(),
        granted=amount,
        remaining=0,
        expires_at=command.expires_at,
        origin=command.reference,
        heir_of_id=lot.heir_of_id or lot.id,
    )
    book.open_lot(successor)
    return [
        book.move(wallet, lot, "redated", -amount, command),
        book.move(wallet, successor, "redated", amount, command),
    ]


def is_same(state: State, command: ChangeExpiry, earlier: Outcome) -> bool:
    """Tell whether the same lot was given the same date."""
    first, second = earlier.entries[0], earlier.entries[1:2]
    if (first.transaction_type, first.lot_id) != ("redated", command.lot_id) or not second:
        return False
    successor = state.lots[command.wallet_id][second[0].lot_id]
    return successor.expires_at == command.expires_at
