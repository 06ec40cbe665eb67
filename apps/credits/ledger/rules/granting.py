"""Grant: a new lot."""

from apps.core import ids
from apps.credits.errors import InvalidAmount, LotExpiresTooEarly
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import PRIORITIES, Grant
from apps.credits.ledger.state import Entry, LotState, State, WalletState

LARGEST_BALANCE = 2**63 - 1  # what the column holds
TYPES = {"purchase": "purchased", "adjustment": "adjusted"}  # every other kind is earned


def apply(book: Book, wallet: WalletState, command: Grant) -> list[Entry]:
    """
    Open a lot with the command's terms.

    :raises LotExpiresTooEarly: if it would be dead at birth.
    :raises InvalidAmount: if the wallet cannot hold so many credits.
    """
    now = book.state.now
    effective_at = command.effective_at or now
    if command.expires_at and command.expires_at <= max(effective_at, now):
        raise LotExpiresTooEarly(expires_at=command.expires_at.isoformat())
    if wallet.balance + command.amount > LARGEST_BALANCE:
        raise InvalidAmount(amount=command.amount, largest=LARGEST_BALANCE - wallet.balance)
    lot = LotState(
        id=ids.new_id(),
        wallet_id=wallet.id,
        organization_id=wallet.organization_id,
        kind=command.kind,
        granted=command.amount,
        remaining=0,
        priority=PRIORITIES[command.kind] if command.priority is None else command.priority,
        effective_at=effective_at,
        expires_at=command.expires_at,
        unit_cost=command.unit_cost,
        currency=command.currency,
        features=command.features,
        is_frozen=False,
        origin=command.reference,
    )
    book.open_lot(lot)
    return [book.move(wallet, lot, _type_of(command), command.amount, command)]


def is_same(state: State, command: Grant, earlier: Outcome) -> bool:
    """Tell whether the same amount of the same type was granted."""
    first = earlier.entries[0]
    return (first.transaction_type, earlier.amount) == (_type_of(command), command.amount)


def _type_of(command: Grant) -> str:
    return TYPES.get(command.kind, "earned")
