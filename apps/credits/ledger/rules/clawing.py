"""ClawBack and Reinstate: credits follow the money that bought them, back and forth."""

from apps.credits.errors import MoreThanClawedBack
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import ClawBack, Reinstate
from apps.credits.ledger.rules.voiding import lot_of
from apps.credits.ledger.state import Entry, State, WalletState


def take(book: Book, wallet: WalletState, command: ClawBack) -> list[Entry]:
    """
    Take the amount out of the lot, or what remains; no other lot pays for what was used.

    :raises LotNotFound: if the wallet has no such lot.
    """
    lot = lot_of(book.state, command)
    part = min(command.amount, max(0, lot.remaining))
    return [book.move(wallet, lot, "clawed_back", -part, command)] if part else []


def give(book: Book, wallet: WalletState, command: Reinstate) -> list[Entry]:
    """
    Give credits back to the lot that they were taken from, last taken first.

    What is past its date by now expires at once, and both can be seen.

    :raises LotNotFound: if the wallet has no such lot.
    :raises MoreThanClawedBack: if less was taken from it, and not given back yet.
    """
    lot = lot_of(book.state, command)
    taken = [(entry, _left_of(book.state, entry)) for entry in _taken(book.state, command)]
    there = sum(left for _, left in taken)
    if command.amount > there:
        raise MoreThanClawedBack(clawed_back=there, asked=command.amount)
    entries, due = [], command.amount
    for entry, left in reversed(taken):
        if part := min(left, due):
            entries.append(book.move(wallet, lot, "clawed_back", part, command, reverses=entry))
            due -= part
    if lot.is_expired(book.state.now):
        book.expire_lot(wallet, lot, f"expiry:{command.reference}")
    return entries


def is_same(state: State, command: ClawBack, earlier: Outcome) -> bool:
    """Tell whether it was taken from the same lot, and no more than is asked for now."""
    first = earlier.entries[0]
    is_taken = first.transaction_type == "clawed_back" and first.amount < 0
    return is_taken and first.lot_id == command.lot_id and -first.amount <= command.amount


def is_same_gift(state: State, command: Reinstate, earlier: Outcome) -> bool:
    """Tell whether as much was given back to the same lot."""
    back = [one for one in earlier.entries if one.transaction_type == "clawed_back"]
    given = sum(one.amount for one in back if one.lot_id == command.lot_id)
    return bool(back) and all(one.amount > 0 for one in back) and given == command.amount


def _taken(state: State, command: Reinstate) -> list[Entry]:
    """Return what these references took back from the lot, in the order of its taking."""
    found = {
        entry.id: entry for name in command.of for entry in state.find(command.wallet_id, name)
    }
    ours = [
        entry
        for entry in found.values()
        if entry.transaction_type == "clawed_back"
        and entry.amount < 0
        and entry.lot_id == command.lot_id
    ]
    return sorted(ours, key=lambda entry: entry.sequence)


def _left_of(state: State, entry: Entry) -> int:
    return -entry.amount - state.given_back.get(entry.id, 0)
