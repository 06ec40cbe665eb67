"""What is known of some wallets while their rows are locked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

# At the same priority and expiry the cheaper origin burns first.
KIND_ORDER = {
    "promotional": 0,
    "adjustment": 0,
    "trial": 1,
    "partner": 1,
    "generation": 2,
    "subscription": 2,
    "purchase": 3,
    "debt": 4,
}
FAR_AWAY = datetime.max.replace(tzinfo=UTC)


class Burnable(Protocol):
    """What decides when a lot's credits burn: a row has it, and a state."""

    id: UUID
    kind: str
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    unit_cost: Decimal


def burn_order(lot: Burnable) -> tuple[int, datetime, int, Decimal, datetime, UUID]:
    """Return the key by which lots burn: priority, expiry, kind, cost, age."""
    return (
        lot.priority,
        lot.expires_at or FAR_AWAY,
        KIND_ORDER[lot.kind],
        lot.unit_cost,
        lot.effective_at,
        lot.id,
    )


@dataclass(slots=True)
class WalletState:
    """A wallet's row, as it stands and as the plan changes it."""

    id: UUID
    organization_id: UUID
    balance: int
    held: int
    credit_line: int
    sequence: int
    head_hash: bytes
    head_at: datetime | None
    frozen_at: datetime | None
    closed_at: datetime | None
    has_budget: bool = False  # only read: the services of budgets write it, under the same lock
    owed_back: int = 0  # credits owed beside the credit line: their money went back


@dataclass(slots=True)
class LotState:
    """A lot's row, as it stands and as the plan changes it."""

    id: UUID
    wallet_id: UUID
    organization_id: UUID
    kind: str
    granted: int
    remaining: int
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    unit_cost: Decimal
    currency: str
    features: Sequence[str] | None  # None: open to every event
    is_frozen: bool
    origin: str
    heir_of_id: UUID | None = None  # the lot whose credits these were at first
    returns_to_id: UUID | None = None  # the lot that these came from, and go back to if not used

    @property
    def is_debt(self) -> bool:
        """Whether it is what is owed: less than nothing remains of it."""
        return self.kind == "debt"

    @property
    def is_owed_back(self) -> bool:
        """Whether it is owed because its money went back, and not on the credit line."""
        return self.is_debt and self.origin.startswith("owed:")

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the lot is dead: `expires_at` itself is already too late."""
        return self.expires_at is not None and self.expires_at <= now

    def has_lapsed(self, now: datetime) -> bool:
        """Tell whether what is in it is written off: it is dead, and goes back to no other lot."""
        return self.returns_to_id is None and self.is_expired(now)

    def is_live(self, now: datetime) -> bool:
        """Tell whether credits can be drawn from it, be it for certain events alone."""
        return (
            self.remaining > 0
            and not self.is_frozen
            and self.effective_at <= now
            and not self.is_expired(now)
        )

    def is_open(self, now: datetime, features: frozenset[str]) -> bool:
        """Tell whether credits can be drawn from it, for an event with these features."""
        admits = self.features is None or not features.isdisjoint(self.features)
        return admits and self.is_live(now)


@dataclass(slots=True)
class HoldState:
    """A hold's row, as it stands and as the plan changes it."""

    id: UUID
    wallet_id: UUID
    organization_id: UUID
    reference: str
    amount: int
    captured: int
    status: str  # held, captured, released, expired
    policy: str
    expires_at: datetime
    credit_event_id: UUID | None
    features: Sequence[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction: one that was found, or one to be written."""

    id: UUID
    organization_id: UUID
    wallet_id: UUID
    lot_id: UUID
    sequence: int
    transaction_type: str
    amount: int
    balance_after: int
    lot_balance_after: int
    source: str
    source_id: str
    reference: str
    credit_event_id: UUID | None
    reverses_id: UUID | None
    stripe_payment_intent_id: str
    expires_at: datetime | None
    description: str
    metadata: str  # JSON
    created_at: datetime
    entry_hash: bytes


@dataclass(slots=True)
class State:
    """Everything that the rules may look at; the plan works on it in place."""

    now: datetime
    wallets: dict[UUID, WalletState]
    lots: dict[UUID, dict[UUID, LotState]] = field(default_factory=dict)  # by wallet
    holds: dict[tuple[UUID, str], HoldState] = field(default_factory=dict)  # by reference
    entries: dict[tuple[UUID, str], list[Entry]] = field(default_factory=dict)  # by reference
    given_back: dict[UUID, int] = field(default_factory=dict)  # credits, by entry

    def add_lot(self, lot: LotState) -> None:
        """Make a lot known."""
        self.lots.setdefault(lot.wallet_id, {})[lot.id] = lot

    def add_hold(self, hold: HoldState) -> None:
        """Make a hold known."""
        self.holds[hold.wallet_id, hold.reference] = hold

    def add_entry(self, entry: Entry) -> None:
        """Make a transaction known, so that its reference is found and what it gave back counts."""
        self.entries.setdefault((entry.wallet_id, entry.reference), []).append(entry)
        if entry.reverses_id:
            given_back = self.given_back.get(entry.reverses_id, 0)
            self.given_back[entry.reverses_id] = given_back + entry.amount

    def lots_of(self, wallet_id: UUID) -> list[LotState]:
        """Return the wallet's lots in burn order."""
        return sorted(self.lots.get(wallet_id, {}).values(), key=burn_order)

    def family_of(self, lot: LotState) -> list[LotState]:
        """Return a lot and its heirs, in burn order: all that holds what it was granted."""
        return [one for one in self.lots_of(lot.wallet_id) if lot.id in (one.id, one.heir_of_id)]

    def open_lots(self, wallet_id: UUID, features: frozenset[str]) -> list[LotState]:
        """Return the lots that an event with these features may draw on, in burn order."""
        lots = self.lots.get(wallet_id, {}).values()
        return sorted((lot for lot in lots if lot.is_open(self.now, features)), key=burn_order)

    def debts_of(self, wallet_id: UUID) -> list[LotState]:
        """Return what the wallet owes, oldest first."""
        lots = self.lots.get(wallet_id, {}).values()
        owed = (lot for lot in lots if lot.is_debt and lot.remaining)
        return sorted(owed, key=lambda lot: (lot.effective_at, lot.id))

    def find(self, wallet_id: UUID, reference: str) -> list[Entry]:
        """Return the transactions that this cause has made, in their order."""
        return self.entries.get((wallet_id, reference), [])
