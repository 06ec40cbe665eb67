"""Grant: a new lot."""

import re
from datetime import datetime

from apps.core import ids
from apps.credits.errors import InvalidAmount, InvalidTerms, LotExpiresTooEarly
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import PRIORITIES, Grant
from apps.credits.ledger.state import Entry, LotState, State, WalletState

LARGEST_BALANCE = 2**63 - 1  # what the column holds
LARGEST_PRIORITY = 1000
CURRENCY = re.compile(r"[a-z]{3}")
TYPES = {"purchase": "purchased", "adjustment": "adjusted"}  # every other kind is earned


def apply(book: Book, wallet: WalletState, command: Grant) -> list[Entry]:
    """
    Open a lot with the command's terms.

    :raises InvalidTerms: if kind, priority, cost or currency cannot be.
    :raises LotExpiresTooEarly: if it would be dead at birth.
    :raises InvalidAmount: if the wallet cannot hold so many credits.
    """
    check(book, wallet, command)
    effective_at = command.effective_at or book.state.now
    lot = LotState(
        id=ids.new_id(),
        wallet_id=wallet.id,
        organization_id=wallet.organization_id,
        kind=command.kind,
        granted=command.amount,
        remaining=0,
        priority=PRIORITIES[command.kind] if command.priority is None else command.priority,
        effective_at=effective_at,
        expires_at=_expiry(command, effective_at),
        unit_cost=command.unit_cost,
        currency=command.currency,
        features=command.features,
        is_frozen=False,
        origin=command.reference,
    )
    book.open_lot(lot)
    return [book.move(wallet, lot, TYPES.get(command.kind, "earned"), command.amount, command)]


def is_same(state: State, command: Grant, earlier: Outcome) -> bool:
    """Tell whether a lot with these very terms was granted; what is None was left to us."""
    lot = state.lots[command.wallet_id][earlier.entries[0].lot_id]
    begins = command.effective_at or lot.effective_at
    features = None if command.features is None else list(command.features)
    priority = lot.priority if command.priority is None else command.priority
    return (
        lot.origin == command.reference
        and (lot.kind, lot.granted) == (command.kind, command.amount)
        and (lot.effective_at, lot.expires_at) == (begins, _expiry(command, begins))
        and (lot.unit_cost, lot.currency) == (command.unit_cost, command.currency)
        and (lot.priority, lot.features and list(lot.features)) == (priority, features)
    )


def check(book: Book, wallet: WalletState, command: Grant) -> None:
    """
    Check everything that can be wrong with a lot, before it is opened.

    :raises InvalidTerms: naming the field, and what it must be.
    :raises LotExpiresTooEarly: if it would be dead at birth.
    :raises InvalidAmount: if the wallet cannot hold so many credits.
    """
    _check_terms(command)
    begins = command.effective_at or book.state.now
    ends = _expiry(command, begins)
    if ends and ends <= max(begins, book.state.now):
        raise LotExpiresTooEarly(expires_at=ends.isoformat())
    if wallet.balance + command.amount > LARGEST_BALANCE:
        raise InvalidAmount(amount=command.amount, largest=LARGEST_BALANCE - wallet.balance)


def _check_terms(command: Grant) -> None:
    if command.kind not in PRIORITIES:
        raise InvalidTerms(field="kind", must=f"be one of {', '.join(PRIORITIES)}")
    if command.priority is not None and not 0 <= command.priority <= LARGEST_PRIORITY:
        raise InvalidTerms(field="priority", must=f"be from 0 to {LARGEST_PRIORITY}")
    if command.unit_cost < 0:
        raise InvalidTerms(field="unit_cost", must="not be below 0")
    if command.unit_cost and not CURRENCY.fullmatch(command.currency):
        raise InvalidTerms(field="currency", must="be an ISO 4217 code in lower case, like eur")
    if command.lives is not None and command.expires_at is not None:
        raise InvalidTerms(field="expires_at", must="be left out if the length of life is given")


def _expiry(command: Grant, begins: datetime) -> datetime | None:
    return command.expires_at if command.lives is None else begins + command.lives
