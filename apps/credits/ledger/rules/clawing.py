"""ClawBack and Reinstate: credits follow the money that bought them, back and forth."""

from uuid import UUID

from apps.credits.errors import MoreThanClawedBack
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import ClawBack, Reinstate
from apps.credits.ledger.rules.voiding import lot_of
from apps.credits.ledger.state import Entry, State, WalletState


def take(book: Book, wallet: WalletState, command: ClawBack) -> list[Entry]:
    """
    Take the amount out of the lot and its heirs, or what remains; no other pays for what was used.

    :raises LotNotFound: if the wallet has no such lot.
    """
    lots = book.state.family_of(lot_of(book.state, command))
    there = [lot for lot in lots if lot.remaining > 0]
    part = min(command.amount, sum(lot.remaining for lot in there))
    return book.draw(wallet, there, "clawed_back", part, command)


def give(book: Book, wallet: WalletState, command: Reinstate) -> list[Entry]:
    """
    Give credits back to the lots that they were taken from, last taken first.

    What is past its date by now expires at once, and both can be seen.

    :raises LotNotFound: if the wallet has no such lot.
    :raises MoreThanClawedBack: if less was taken from it, and not given back yet.
    """
    taken = [(entry, _left_of(book.state, entry)) for entry in _taken(book.state, command)]
    there = sum(left for _, left in taken)
    if command.amount > there:
        raise MoreThanClawedBack(clawed_back=there, asked=command.amount)
    entries, due = [], command.amount
    for entry, left in reversed(taken):
        if part := min(left, due):
            lot = book.state.lots[wallet.id][entry.lot_id]
            entries.append(book.move(wallet, lot, "clawed_back", part, command, reverses=entry))
            due -= part
    for lot_id in {entry.lot_id: None for entry in entries}:
        lot = book.state.lots[wallet.id][lot_id]
        if lot.has_lapsed(book.state.now):
            book.expire_lot(wallet, lot, f"expiry:{command.reference}")
    return entries


def is_same(state: State, command: ClawBack, earlier: Outcome) -> bool:
    """Tell whether it was taken from the same lot, and no more than is asked for now."""
    return -command.amount <= _moved(state, command, earlier) < 0


def is_same_gift(state: State, command: Reinstate, earlier: Outcome) -> bool:
    """Tell whether as much was given back to the same lot."""
    return _moved(state, command, earlier) == command.amount


def _moved(state: State, command: ClawBack | Reinstate, earlier: Outcome) -> int:
    """Return what was taken from the lot and its heirs (negative), or given back to them."""
    family = _family_ids(state, command)
    moved = [one for one in earlier.entries if one.transaction_type == "clawed_back"]
    return sum(one.amount for one in moved) if family >= {one.lot_id for one in moved} else 0


def _family_ids(state: State, command: ClawBack | Reinstate) -> set[UUID]:
    return {lot.id for lot in state.family_of(lot_of(state, command))}


def _taken(state: State, command: Reinstate) -> list[Entry]:
    """Return what these references took of the lot and its heirs, in the order of its taking."""
    family = _family_ids(state, command)
    found = {
        entry.id: entry for name in command.of for entry in state.find(command.wallet_id, name)
    }
    ours = [
        entry
        for entry in found.values()
        if entry.transaction_type == "clawed_back" and entry.amount < 0 and entry.lot_id in family
    ]
    return sorted(ours, key=lambda entry: entry.sequence)


def _left_of(state: State, entry: Entry) -> int:
    return -entry.amount - state.given_back.get(entry.id, 0)
