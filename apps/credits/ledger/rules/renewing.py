"""RenewAllowance: a cycle ends, another begins."""

import json

from apps.core import ids
from apps.credits.errors import (
    CycleNotOver,
    CycleRenewed,
    InvalidTerms,
    LotNotFound,
    ReferenceReused,
)
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import (
    ROLLOVER_PRIORITY,
    Grant,
    RenewAllowance,
    expiry_reference,
    rollover_reference,
)
from apps.credits.ledger.rules import granting
from apps.credits.ledger.state import Entry, State, WalletState

ENDED_LOT = "ended_lot"  # in the metadata of an allowance: which cycle it follows


def apply(book: Book, wallet: WalletState, command: RenewAllowance) -> list[Entry]:
    """
    Grant what is carried over, and the new cycle's allowance.

    The old cycle's lot has expired by now: at its end, or a moment ago under this lock.

    :raises LotNotFound: if the old cycle's lot is not in the wallet.
    :raises CycleNotOver: if it still lives.
    :raises CycleRenewed: if it was carried over before, for another cycle.
    :raises InvalidTerms: if cap or floor is below 0.
    :raises LotExpiresTooEarly: if the new cycle, or what is carried over, ends in the past.
    """
    grants = [_allowance(command)]
    if carried_over := _carried_over(book, wallet, command):
        grants.insert(0, _rollover(command, carried_over))
    for grant in grants:  # all are checked before the first one moves anything
        granting.check(book, wallet, grant)
    return [entry for grant in grants for entry in granting.apply(book, wallet, grant)]


def earlier(state: State, command: RenewAllowance) -> Outcome | None:
    """
    Return what was granted and carried over for this cycle.

    :raises ReferenceReused: if it was another allowance, or followed another cycle.
    """
    granted = state.find(command.wallet_id, command.reference)
    if not granted:
        return None
    allowance = _allowance(command)
    after = json.loads(granted[0].metadata).get(ENDED_LOT)
    is_same = granting.is_same(state, allowance, Outcome(tuple(granted)))
    if not is_same or after != allowance.metadata.get(ENDED_LOT):
        raise ReferenceReused(reference=command.reference)
    carried_over: list[Entry] = []
    if command.ended_lot_id:
        carried_over = state.find(command.wallet_id, rollover_reference(command.ended_lot_id))
    before = [one for one in carried_over if one.sequence == granted[0].sequence - 1]
    return Outcome((*before, *granted), is_replayed=True)


def _carried_over(book: Book, wallet: WalletState, command: RenewAllowance) -> int:
    if min(command.rollover_cap, command.rollover_floor) < 0:
        raise InvalidTerms(field="rollover", must="not be below 0")
    if command.ended_lot_id is None:
        return 0
    lot = book.state.lots.get(wallet.id, {}).get(command.ended_lot_id)
    if lot is None or lot.is_debt:
        raise LotNotFound
    if not lot.is_expired(book.state.now):
        raise CycleNotOver
    if book.state.find(wallet.id, rollover_reference(lot.id)):
        raise CycleRenewed
    lost = book.state.find(wallet.id, expiry_reference(lot.id))
    left = -sum(entry.amount for entry in lost)
    return min(command.rollover_cap, max(left, command.rollover_floor))


def _rollover(command: RenewAllowance, amount: int) -> Grant:
    assert command.ended_lot_id is not None
    return Grant(
        wallet_id=command.wallet_id,
        reference=rollover_reference(command.ended_lot_id),
        source=command.source,
        source_id=command.source_id,
        description="Carried over from the last cycle",
        kind="subscription",
        amount=amount,
        priority=ROLLOVER_PRIORITY,
        expires_at=command.rollover_expires_at or command.expires_at,
        unit_cost=command.unit_cost,
        currency=command.currency,
    )


def _allowance(command: RenewAllowance) -> Grant:
    metadata = dict(command.metadata)
    if command.ended_lot_id:
        metadata[ENDED_LOT] = ids.encode("lot", command.ended_lot_id)
    return Grant(
        wallet_id=command.wallet_id,
        reference=command.reference,
        source=command.source,
        source_id=command.source_id,
        description=command.description,
        metadata=metadata,
        kind="subscription",
        amount=command.amount,
        expires_at=command.expires_at,
        unit_cost=command.unit_cost,
        currency=command.currency,
    )
