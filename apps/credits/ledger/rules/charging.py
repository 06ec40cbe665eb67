"""Charge: out of the open lots, in burn order, and then from the credit line."""

from decimal import Decimal

from apps.core import ids
from apps.credits.errors import InsufficientCredits
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import Charge, Command
from apps.credits.ledger.state import Entry, LotState, State, WalletState


def apply(book: Book, wallet: WalletState, command: Charge) -> list[Entry]:
    """
    Draw the amount, one transaction for each lot that it touches.

    :raises InsufficientCredits: if open lots and credit line do not cover it.
    """
    return draw_or_owe(book, wallet, command.amount, command.features, command)


def is_same(state: State, command: Charge, earlier: Outcome) -> bool:
    """Tell whether the same amount was charged for the same version of the event."""
    taken = [one for one in earlier.entries if one.transaction_type == "consumed"]
    done = (-sum(one.amount for one in taken), earlier.entries[0].credit_event_id)
    return (
        bool(taken) and earlier.hold is None and done == (command.amount, command.credit_event_id)
    )


def draw_or_owe(
    book: Book, wallet: WalletState, amount: int, features: frozenset[str], cause: Command
) -> list[Entry]:
    """
    Take an amount for good: from the lots that admit the event, the rest from the credit line.

    :raises InsufficientCredits: if both together do not cover it.
    """
    lots = book.state.open_lots(wallet.id, features)
    available = sum(lot.remaining for lot in lots)
    debt = -sum(lot.remaining for lot in book.state.debts_of(wallet.id))
    owed = max(0, amount - available)
    line = wallet.credit_line + wallet.owed_back - debt  # what is left of it
    if owed > line:
        raise insufficient(wallet, amount, available + line)
    entries = book.draw(wallet, lots, "consumed", amount - owed, cause)
    if owed:
        origin = f"debt:{cause.reference}"
        entries.append(
            write_debt(book, wallet, owed, cause, transaction_type="consumed", origin=origin)
        )
    return entries


def insufficient(wallet: WalletState, required: int, available: int) -> InsufficientCredits:
    """Return the refusal, with the facts that the customer needs."""
    return InsufficientCredits(
        required=required,
        available=available,
        held=wallet.held,
        shortfall=required - available,
    )


def write_debt(
    book: Book,
    wallet: WalletState,
    amount: int,
    cause: Command,
    *,
    transaction_type: str,
    origin: str,
) -> Entry:
    """Write a debt: a lot of which less than nothing remains, until credits repay it."""
    debt = LotState(
        id=ids.new_id(),
        wallet_id=wallet.id,
        organization_id=wallet.organization_id,
        kind="debt",
        granted=-amount,
        remaining=0,
        priority=0,  # never drawn on, so it has no place in the burn order
        effective_at=book.state.now,
        expires_at=None,
        unit_cost=Decimal(0),
        currency="",
        features=None,
        is_frozen=False,
        origin=origin,
    )
    book.open_lot(debt)
    return book.move(wallet, debt, transaction_type, -amount, cause)
