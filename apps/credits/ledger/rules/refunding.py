"""Refund: back to the very lots that a charge drew on, last drawn first."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.core import ids
from apps.credits.errors import AlreadyRefunded, ChargeNotFound
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import PRIORITIES, Command, Refund
from apps.credits.ledger.state import Entry, LotState, State, WalletState

GRACE = timedelta(days=7)  # life of a lot that replaces one which died before our failure


def apply(book: Book, wallet: WalletState, command: Refund) -> list[Entry]:
    """
    Give back the amount, or all that is left of the charge.

    :raises ChargeNotFound: if the wallet has no charge or captured hold with that reference.
    :raises AlreadyRefunded: if less is left of it.
    """
    parts = [(entry, _left_of(book.state, entry)) for entry in _taken(book.state, command)]
    if not parts:
        raise ChargeNotFound(reference=command.of)
    refundable = sum(left for _, left in parts)
    due = refundable if command.amount is None else command.amount
    if due > refundable or not refundable:
        raise AlreadyRefunded(reference=command.of, refundable=refundable)
    entries = []
    for entry, left in reversed(parts):
        if part := min(left, due):
            entries += _give_back(book, wallet, command, entry, part)
            due -= part
    for lot_id in {entry.lot_id: None for entry in entries}:
        lot = book.state.lots[wallet.id][lot_id]
        if lot.remaining > 0 and lot.has_lapsed(book.state.now):
            # Both can be seen: the credits came back, and were past their date.
            book.expire_lot(wallet, lot, f"expiry:{command.reference}")
    return entries


def is_same(state: State, command: Refund, earlier: Outcome) -> bool:
    """Tell whether the same charge was given back, and as much of it."""
    charge = {entry.id for entry in state.find(command.wallet_id, command.of)}
    back = [one for one in earlier.entries if one.transaction_type == "refunded"]
    return (
        bool(back)
        and back[0].reverses_id in charge
        and command.amount in (None, sum(one.amount for one in back))
    )


def _taken(state: State, command: Refund) -> list[Entry]:
    """Return what a charge, or a hold that was captured, took."""
    hold = state.holds.get((command.wallet_id, command.of))
    if hold is not None and hold.status != "captured":
        return []
    entries = state.find(command.wallet_id, command.of)
    return [one for one in entries if one.transaction_type in ("consumed", "held")]


def _left_of(state: State, entry: Entry) -> int:
    return -entry.amount - state.given_back.get(entry.id, 0)


def _give_back(
    book: Book, wallet: WalletState, command: Refund, taken: Entry, part: int
) -> list[Entry]:
    """Return credits to their lot, or to a new one."""
    lot = book.state.lots[wallet.id][taken.lot_id]
    if lot.is_debt:
        return give_back_debt(book, wallet, command, taken, part, transaction_type="refunded")
    if command.is_our_fault and lot.is_expired(book.state.now):
        lot = _instead_of(book, taken, command, part, expires_at=book.state.now + GRACE)
    return [book.move(wallet, lot, "refunded", part, command, reverses=taken)]


def give_back_debt(
    book: Book,
    wallet: WalletState,
    command: Command,
    taken: Entry,
    part: int,
    *,
    transaction_type: str,
) -> list[Entry]:
    """Lower what is still owed; what was repaid meanwhile comes back as credits without end."""
    debt = book.state.lots[wallet.id][taken.lot_id]
    entries = []
    if forgiven := min(part, -debt.remaining):
        entries.append(book.move(wallet, debt, transaction_type, forgiven, command, reverses=taken))
    if repaid := part - forgiven:
        lot = _instead_of(book, taken, command, repaid, expires_at=None)
        entries.append(book.move(wallet, lot, transaction_type, repaid, command, reverses=taken))
    return entries


def _instead_of(
    book: Book, taken: Entry, command: Command, amount: int, *, expires_at: datetime | None
) -> LotState:
    """
    Open a lot for credits that cannot go back to where they were taken from.

    In place of a lot it is frozen as that one is, and goes with it when the money goes back.
    """
    lot = book.state.lots[taken.wallet_id][taken.lot_id]
    successor = replace(
        lot,
        id=ids.new_id(),
        granted=amount,
        remaining=0,
        effective_at=book.state.now,
        expires_at=expires_at,
        heir_of_id=None if lot.is_debt else lot.heir_of_id or lot.id,
        origin=f"grace:{command.reference}:{ids.encode('txn', taken.id)}",
    )
    if lot.is_debt:
        successor.kind, successor.priority = "adjustment", PRIORITIES["adjustment"]
        successor.unit_cost = Decimal(0)
    book.open_lot(successor)
    return successor
