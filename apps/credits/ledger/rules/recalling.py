"""Recall: what was not used goes back to the very lots that it came from."""

from uuid import UUID

from apps.credits.errors import (
    InvalidTerms,
    LotDoesNotReturn,
    LotHasLess,
    LotNotFound,
    ReferenceReused,
)
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.returning import Recall
from apps.credits.ledger.state import Entry, LotState, State, WalletState, burn_order


def apply(book: Book, wallet: WalletState, command: Recall) -> list[Entry]:
    """
    Take out what remains, and put it into the lots that it came from; nothing is no error.

    Where such a lot has died meanwhile the credits expire there at once, and both can be seen.

    :raises InvalidTerms: if both wallets are one.
    :raises LotNotFound: if the wallet has no such lot.
    :raises LotDoesNotReturn: if one of the lots did not come from the target, to go back there.
    :raises LotHasLess: if less than the amount remains of them.
    """
    if command.target_id == command.wallet_id:
        raise InvalidTerms(field="target", must="be another wallet")
    target = book.state.wallets[command.target_id]
    book.bring_up_to_date(target)
    lots = [_lot_of(book.state, command, lot_id) for lot_id in dict.fromkeys(command.lots)]
    there = sum(lot.remaining for lot in lots)
    amount = there if command.amount is None else command.amount
    if amount > there:
        raise LotHasLess(remaining=there)
    last_to_burn = sorted((one for one in lots if one.remaining), key=burn_order, reverse=True)
    sent = book.draw(wallet, last_to_burn, "transferred_out", amount, command)
    return sent + _put_back(book, target, command, sent)


def earlier(state: State, command: Recall) -> Outcome | None:
    """
    Return what was recalled under this reference, on both sides.

    :raises ReferenceReused: if it was another amount, or of other lots, or went elsewhere.
    """
    ours = state.find(command.wallet_id, command.reference)
    theirs = state.find(command.target_id, command.reference)
    if not ours and not theirs:
        return None
    sent = [one for one in ours if one.transaction_type == "transferred_out"]
    received = [one for one in theirs if one.transaction_type == "transferred_in"]
    amount = -sum(one.amount for one in sent)
    is_same = (
        amount == sum(one.amount for one in received)
        and command.amount in (None, amount)
        and {one.lot_id for one in sent} <= set(command.lots)
        and _returned_to(state, command, sent) == {one.lot_id for one in received}
    )
    if not sent or not is_same:
        raise ReferenceReused(reference=command.reference)
    return Outcome((*ours, *theirs), is_replayed=True)


def _lot_of(state: State, command: Recall, lot_id: UUID) -> LotState:
    lot = state.lots.get(command.wallet_id, {}).get(lot_id)
    if lot is None or lot.is_debt:
        raise LotNotFound
    if lot.returns_to_id not in state.lots.get(command.target_id, {}):
        raise LotDoesNotReturn
    return lot


def _put_back(book: Book, target: WalletState, command: Recall, sent: list[Entry]) -> list[Entry]:
    """Give each lot back what came from it: one movement, from however many lots it comes."""
    amounts: dict[UUID | None, int] = {}
    for entry in sent:
        lot_id = book.state.lots[command.wallet_id][entry.lot_id].returns_to_id
        amounts[lot_id] = amounts.get(lot_id, 0) - entry.amount
    entries = []
    for lot_id, amount in amounts.items():
        assert lot_id is not None, "the caller has checked that the lots return"
        lot = book.state.lots[target.id][lot_id]
        entries.append(book.move(target, lot, "transferred_in", amount, command))
        if lot.has_lapsed(book.state.now):
            entries.append(book.expire_lot(target, lot, f"expiry:{command.reference}"))
    return entries


def _returned_to(state: State, command: Recall, sent: list[Entry]) -> set[UUID | None]:
    return {state.lots[command.wallet_id][one.lot_id].returns_to_id for one in sent}
