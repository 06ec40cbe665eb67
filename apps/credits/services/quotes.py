"""
Say what something would cost and whether it can be paid, exactly as it would be posted.

The rules themselves plan it, on the state under the lock; what they would write is shown
and thrown away.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.core import ids
from apps.core.errors import DomainError
from apps.credits import selectors
from apps.credits.errors import BudgetExceeded, InsufficientCredits, WalletClosed, WalletFrozen
from apps.credits.ledger import budgets
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Charge, Command, Expire
from apps.credits.ledger.planning import plan
from apps.credits.ledger.posting import load
from apps.credits.ledger.state import State
from apps.credits.models import CreditEvent, Wallet

ANSWERS = (InsufficientCredits, WalletFrozen, WalletClosed)  # other refusals are mistakes
NO_FEATURES: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Item:
    """What is asked for: units of an event of the price list, or an amount of credits."""

    event: str | None = None
    quantity: int = 1
    amount: int | None = None


@dataclass(frozen=True)
class Draw:
    """Credits that would be taken from one lot."""

    lot: str  # lot_…
    kind: str
    amount: int
    expires_at: datetime | None


@dataclass(frozen=True)
class Line:
    """One item with its price; `reason` is the code of the refusal that it would meet."""

    item: Item
    price: CreditEvent | None
    cost: int
    available: int  # credits that this line could draw on, after the lines before it
    after: int | None  # what would be left of these (below zero: owed); None if refused
    reason: str | None
    draws: tuple[Draw, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Tell whether it would be carried out."""
        return self.reason is None


@dataclass(frozen=True)
class Quote:
    """Several lines, carried out one after the other, all or nothing."""

    lines: tuple[Line, ...]
    available: int  # credits in open lots, whatever events these are for

    @property
    def total(self) -> int:
        """What all lines cost together."""
        return sum(line.cost for line in self.lines)

    @property
    def reason(self) -> str | None:
        """The code of the first refusal, or None if there is none."""
        return next((line.reason for line in self.lines if line.reason), None)

    @property
    def is_allowed(self) -> bool:
        """Tell whether every line would be carried out."""
        return self.reason is None

    @property
    def after(self) -> int | None:
        """What would be left of it (below zero: owed); None if a line is refused."""
        return self.available - self.total if self.is_allowed else None


def check_charge(*, wallet: Wallet, item: Item) -> Line:
    """
    Say whether one charge would be carried out now, and what it would cost. Writes nothing.

    :raises UnknownCreditEvent: if the price list has no such active event.
    :raises InvalidAmount: if the amount is beyond all reason.
    :raises NotFound: if there is no such wallet.
    """
    (line,) = quote_charges(wallet=wallet, items=[item]).lines
    return line


@transaction.atomic
def quote_charges(*, wallet: Wallet, items: Sequence[Item]) -> Quote:
    """
    Say what these charges would cost and draw, one after the other. Writes nothing.

    The wallet is locked for the moment, as by a charge, so that the answer is true of
    one instant. What costs nothing is allowed and draws nothing.

    :raises UnknownCreditEvent: if the price list has no such active event.
    :raises InvalidAmount: if an amount is beyond all reason.
    :raises NotFound: if there is no such wallet.
    """
    prices = selectors.prices_of(item.event for item in items if item.event is not None)
    up_to_date = Expire(wallet_id=wallet.id, reference=_reference(), source="quote")
    state = load([up_to_date])
    planned = plan(state, [up_to_date])  # what is due expires before anything is drawn
    available = _drawable(state, wallet, None)
    room = budgets.room(state, planned, wallet.id)
    lines = []
    for item in items:
        lines.append(_line(state, wallet, item, prices.get(item.event or ""), room))
        if room is not None and lines[-1].is_allowed:
            room -= lines[-1].cost
    return Quote(tuple(lines), available=available)


def _line(
    state: State, wallet: Wallet, item: Item, price: CreditEvent | None, room: int | None
) -> Line:
    cost = (item.amount or 0) if price is None else price.credit_cost * item.quantity
    features = NO_FEATURES if price is None else frozenset({price.name, price.category})
    available = _drawable(state, wallet, features)
    reason: str | None = None
    draws: tuple[Draw, ...] = ()
    if cost:
        charge = Charge(
            wallet_id=wallet.id,
            reference=_reference(),
            source="quote",
            amount=cost,
            credit_event_id=price.id if price else None,
            features=features,
        )
        if room is not None and cost > room:  # tried on a copy, for it draws nothing in the end
            reason = _try(deepcopy(state), charge)[0] or BudgetExceeded.code
        else:
            reason, draws = _try(state, charge)
    after = None if reason else available - cost
    return Line(item, price, cost, available, after, reason, draws)


def _try(state: State, charge: Command) -> tuple[str | None, tuple[Draw, ...]]:
    """Plan a charge on the state, and return its refusal's code or what it drew."""
    (outcome,) = plan(state, [charge]).outcomes
    if isinstance(outcome, ANSWERS):
        return outcome.code, ()
    if isinstance(outcome, DomainError):
        raise outcome
    return None, tuple(_draws(state, outcome))


def _draws(state: State, outcome: Outcome) -> list[Draw]:
    """Return the lots drawn on; what none of them covers is owed, and not listed."""
    found = []
    for entry in outcome.entries:
        lot = state.lots[entry.wallet_id][entry.lot_id]
        if lot.granted > 0:
            public_id = ids.encode("lot", lot.id)
            found.append(Draw(public_id, lot.kind, -entry.amount, lot.expires_at))
    return found


def _drawable(state: State, wallet: Wallet, features: frozenset[str] | None) -> int:
    """Return the credits in open lots that admit these features (None: whatever they admit)."""
    return sum(
        lot.remaining
        for lot in state.lots_of(wallet.id)
        if lot.is_open(state.now, frozenset(lot.features or ()) if features is None else features)
    )


def _reference() -> str:
    """Return a cause that nothing was posted for."""
    return f"quote:{ids.new_id()}"
