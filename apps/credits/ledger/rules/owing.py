"""Owe and Forgive: credits that were used, and whose money went back, as a debt."""

from apps.credits.errors import MoreThanClawedBack
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.owed import Forgive, Owe
from apps.credits.ledger.rules.charging import write_debt
from apps.credits.ledger.rules.refunding import give_back_debt
from apps.credits.ledger.state import Entry, State, WalletState

TYPE = "clawed_back"


def apply(book: Book, wallet: WalletState, command: Owe) -> list[Entry]:
    """Write the debt, beside the credit line; what is open in the wallet repays it at once."""
    debt = write_debt(
        book, wallet, command.amount, command, transaction_type=TYPE, origin=command.origin
    )
    return [debt]


def is_same(state: State, command: Owe, earlier: Outcome) -> bool:
    """Tell whether as much of the same lot was owed."""
    first = earlier.entries[0]
    debt = state.lots[command.wallet_id][first.lot_id]
    return (debt.origin, first.amount) == (command.origin, -command.amount)


def forgive(book: Book, wallet: WalletState, command: Forgive) -> list[Entry]:
    """
    Lower what is still owed; what was repaid comes back as credits without end.

    :raises MoreThanClawedBack: if less was owed, and not given back yet.
    """
    owed = [(entry, _left_of(book.state, entry)) for entry in _owed(book.state, command)]
    there = sum(left for _, left in owed)
    if command.amount > there:
        raise MoreThanClawedBack(clawed_back=there, asked=command.amount)
    entries, due = [], command.amount
    for entry, left in reversed(owed):
        if part := min(left, due):
            entries += give_back_debt(book, wallet, command, entry, part, transaction_type=TYPE)
            due -= part
    return entries


def is_same_gift(state: State, command: Forgive, earlier: Outcome) -> bool:
    """Tell whether as much was given back."""
    back = [one.amount for one in earlier.entries if one.transaction_type == TYPE]
    return bool(back) and min(back) > 0 and sum(back) == command.amount


def _owed(state: State, command: Forgive) -> list[Entry]:
    """Return what these references let be owed, the oldest first."""
    lots = state.lots.get(command.wallet_id, {})
    found = [
        entry
        for name in command.of
        for entry in state.find(command.wallet_id, name)
        if entry.transaction_type == TYPE and entry.amount < 0 and lots[entry.lot_id].is_owed_back
    ]
    return sorted(found, key=lambda entry: entry.sequence)


def _left_of(state: State, entry: Entry) -> int:
    return -entry.amount - state.given_back.get(entry.id, 0)
