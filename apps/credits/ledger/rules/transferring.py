"""Transfer: out of one wallet's lots, into lots of another, in one transaction."""

from dataclasses import replace

from apps.core import ids
from apps.credits.errors import (
    InvalidAmount,
    InvalidTerms,
    LotExpiresTooEarly,
    ReferenceReused,
    WalletClosed,
)
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import PRIORITIES, Transfer
from apps.credits.ledger.rules.charging import insufficient
from apps.credits.ledger.rules.granting import LARGEST_BALANCE
from apps.credits.ledger.state import FAR_AWAY, Entry, State, WalletState


def apply(book: Book, wallet: WalletState, command: Transfer) -> list[Entry]:
    """
    Draw in burn order, and open one lot in the target for each that was drawn on.

    Only lots that are open to every event can be handed on, and not those that return. Each
    new lot keeps the cash per credit of the one it came from, and ends with it at the latest.

    :raises InvalidTerms: if both wallets are one, the kind is unknown, or credits shall return
        from another organization.
    :raises WalletClosed: if the target is closed.
    :raises LotExpiresTooEarly: if the credits would be dead on arrival.
    :raises InsufficientCredits: if the open lots do not cover it.
    :raises InvalidAmount: if the target cannot hold so many credits.
    """
    target = book.state.wallets[command.target_id]
    _check(book, command, target)
    book.bring_up_to_date(target)
    lots = [one for one in book.state.open_lots(wallet.id, frozenset()) if not one.returns_to_id]
    available = sum(lot.remaining for lot in lots)
    if available < command.amount:
        raise insufficient(wallet, command.amount, available)
    if target.balance + command.amount > LARGEST_BALANCE:
        raise InvalidAmount(amount=command.amount, largest=LARGEST_BALANCE - target.balance)
    sent = book.draw(wallet, lots, "transferred_out", command.amount, command)
    return sent + [_receive(book, target, command, entry) for entry in sent]


def earlier(state: State, command: Transfer) -> Outcome | None:
    """
    Return what was transferred under this reference, on both sides.

    :raises ReferenceReused: if it was another amount, went elsewhere, or returns and shall not.
    """
    ours = state.find(command.wallet_id, command.reference)
    theirs = state.find(command.target_id, command.reference)
    sent = [one for one in ours if one.transaction_type == "transferred_out"]
    received = [one for one in theirs if one.transaction_type == "transferred_in"]
    if not ours and not theirs:
        return None
    amounts = (-sum(one.amount for one in sent), sum(one.amount for one in received))
    is_same = (
        amounts == (command.amount, command.amount)
        and _returning(state, sent) == {False}  # or it was a recall
        and _returning(state, received) == {command.returns}
    )
    if not is_same:
        raise ReferenceReused(reference=command.reference)
    return Outcome((*ours, *theirs), is_replayed=True)


def _returning(state: State, entries: list[Entry]) -> set[bool]:
    return {state.lots[one.wallet_id][one.lot_id].returns_to_id is not None for one in entries}


def _check(book: Book, command: Transfer, target: WalletState) -> None:
    if command.target_id == command.wallet_id:
        raise InvalidTerms(field="target", must="be another wallet")
    if command.kind is not None and command.kind not in PRIORITIES:
        raise InvalidTerms(field="kind", must=f"be one of {', '.join(PRIORITIES)}")
    if (
        command.returns
        and target.organization_id != book.state.wallets[command.wallet_id].organization_id
    ):
        raise InvalidTerms(field="target", must="be of the same organization if credits return")
    if target.closed_at:
        raise WalletClosed
    if command.expires_at and command.expires_at <= book.state.now:
        raise LotExpiresTooEarly(expires_at=command.expires_at.isoformat())


def _receive(book: Book, target: WalletState, command: Transfer, sent: Entry) -> Entry:
    origin = book.state.lots[command.wallet_id][sent.lot_id]
    ends = min(origin.expires_at or FAR_AWAY, command.expires_at or FAR_AWAY)
    lot = replace(
        origin,
        id=ids.new_id(),
        wallet_id=target.id,
        organization_id=target.organization_id,
        kind=command.kind or origin.kind,
        granted=-sent.amount,
        remaining=0,
        priority=PRIORITIES[command.kind] if command.kind else origin.priority,
        effective_at=book.state.now,
        expires_at=None if ends == FAR_AWAY else ends,
        heir_of_id=None,
        returns_to_id=origin.id if command.returns else None,
        origin=f"{command.reference}:{ids.encode('lot', origin.id)}",
    )
    book.open_lot(lot)
    return book.move(target, lot, "transferred_in", -sent.amount, command)
