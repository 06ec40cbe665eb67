"""Refund: back to the very lots that a charge drew on, last drawn first."""

from dataclasses import replace
from datetime import timedelta

from apps.core import ids
from apps.credits.errors import AlreadyRefunded, ChargeNotFound
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import Refund
from apps.credits.ledger.state import Entry, State, WalletState

GRACE = timedelta(days=7)  # life of a lot that replaces one which died before our failure


def apply(book: Book, wallet: WalletState, command: Refund) -> list[Entry]:
    """
    Give back the amount, or all that is left of the charge.

    :raises ChargeNotFound: if the wallet has no charge with that reference.
    :raises AlreadyRefunded: if less is left of it.
    """
    charge = book.state.entries.get((wallet.id, command.of), [])
    parts = [
        (entry, -entry.amount - book.state.refunded.get(entry.id, 0))
        for entry in reversed(charge)
        if entry.transaction_type == "consumed"
    ]
    if not parts:
        raise ChargeNotFound(reference=command.of)
    refundable = sum(left for _, left in parts)
    due = refundable if command.amount is None else command.amount
    if due > refundable or not refundable:
        raise AlreadyRefunded(reference=command.of, refundable=refundable)
    entries = []
    for entry, left in parts:
        if part := min(left, due):
            entries.append(_give_back(book, wallet, command, entry, part))
            due -= part
    return entries


def is_same(state: State, command: Refund, earlier: Outcome) -> bool:
    """Tell whether the same charge was given back, and as much of it."""
    charge = state.entries.get((command.wallet_id, command.of), [])
    first = earlier.entries[0]
    return (
        first.transaction_type == "refunded"
        and first.reverses_id in {entry.id for entry in charge}
        and command.amount in (None, earlier.amount)
    )


def _give_back(book: Book, wallet: WalletState, command: Refund, taken: Entry, part: int) -> Entry:
    """Return credits to their lot, or to a grace lot, or to a lot that dies again."""
    lot = book.state.lots[wallet.id][taken.lot_id]
    is_dead = lot.is_expired(book.state.now)
    if is_dead and command.is_our_fault:
        lot = replace(
            lot,
            id=ids.new_id(),
            granted=part,
            remaining=0,
            effective_at=book.state.now,
            expires_at=book.state.now + GRACE,
            origin=f"grace:{command.reference}:{ids.encode('lot', lot.id)}",
        )
        book.open_lot(lot)
    entry = book.move(wallet, lot, "refunded", part, command, reverses=taken)
    if is_dead and not command.is_our_fault:
        # Both can be seen: the credits came back, and were past their date.
        book.expire_lot(wallet, lot, f"expiry:{command.reference}")
    return entry
