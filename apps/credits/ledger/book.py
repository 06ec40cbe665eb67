"""The state while a plan is made, and the one place where credits move."""

import json
from dataclasses import dataclass, field
from uuid import UUID

from apps.core import ids
from apps.core.errors import DomainError
from apps.credits.ledger.chain import entry_hash
from apps.credits.ledger.commands import Command, Expire, Grant
from apps.credits.ledger.state import Entry, LotState, State, WalletState


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: its transactions, now or when it was first carried out."""

    entries: tuple[Entry, ...]
    is_replayed: bool = False

    @property
    def amount(self) -> int:
        """Credits that the command moved into the wallet (negative: out of it)."""
        return sum(entry.amount for entry in self.entries)


@dataclass(slots=True)
class Plan:
    """The rows to write, and each command's outcome or refusal, in order."""

    outcomes: list[Outcome | DomainError] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    wallets: dict[UUID, WalletState] = field(default_factory=dict)
    new_lots: dict[UUID, LotState] = field(default_factory=dict)
    changed_lots: dict[UUID, LotState] = field(default_factory=dict)


class Book:
    """Moves credits in the state, and keeps the rows that say so."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.plan = Plan()

    def open_lot(self, lot: LotState) -> None:
        """Add a lot that is still empty; its first movement grants it."""
        self.state.add_lot(lot)
        self.plan.new_lots[lot.id] = lot

    def expire_due_lots(self, wallet: WalletState) -> list[Entry]:
        """Write off every lot that is past its date, once each."""
        return [
            self.expire_lot(wallet, lot, f"expiry:{ids.encode('lot', lot.id)}")
            for lot in self.state.lots_of(wallet.id)
            if lot.remaining and lot.is_expired(self.state.now)
        ]

    def expire_lot(self, wallet: WalletState, lot: LotState, reference: str) -> Entry:
        """Write off what remains of a lot."""
        cause = Expire(
            wallet_id=wallet.id,
            reference=reference,
            source="expiry",
            source_id=ids.encode("lot", lot.id),
            description="Credits past their date",
        )
        return self.move(wallet, lot, "expired", -lot.remaining, cause)

    def move(
        self,
        wallet: WalletState,
        lot: LotState,
        transaction_type: str,
        amount: int,
        cause: Command,
        *,
        reverses: Entry | None = None,
    ) -> Entry:
        """Move credits into or out of a lot, and write the transaction that says so."""
        wallet.balance += amount
        wallet.sequence += 1
        lot.remaining += amount
        # The database's clock may step back; the order of a wallet's rows never does.
        wallet.head_at = max(self.state.now, wallet.head_at or self.state.now)
        wallet.head_hash = entry_hash(
            wallet.head_hash,
            wallet_id=wallet.id,
            sequence=wallet.sequence,
            lot_id=lot.id,
            transaction_type=transaction_type,
            amount=amount,
            balance_after=wallet.balance,
            reverses_id=reverses.id if reverses else None,
            created_at=wallet.head_at,
            reference=cause.reference,
        )
        entry = _entry(
            wallet,
            lot,
            transaction_type=transaction_type,
            amount=amount,
            cause=cause,
            reverses=reverses,
        )
        self._record(wallet, lot, entry)
        return entry

    def _record(self, wallet: WalletState, lot: LotState, entry: Entry) -> None:
        self.state.add_entry(entry)
        self.plan.entries.append(entry)
        self.plan.wallets[wallet.id] = wallet
        if lot.id not in self.plan.new_lots:
            self.plan.changed_lots[lot.id] = lot


def _entry(
    wallet: WalletState,
    lot: LotState,
    *,
    transaction_type: str,
    amount: int,
    cause: Command,
    reverses: Entry | None,
) -> Entry:
    """Return the transaction that stands at the wallet's head."""
    assert wallet.head_at is not None
    return Entry(
        id=ids.new_id(),
        organization_id=wallet.organization_id,
        wallet_id=wallet.id,
        lot_id=lot.id,
        sequence=wallet.sequence,
        transaction_type=transaction_type,
        amount=amount,
        balance_after=wallet.balance,
        lot_balance_after=lot.remaining,
        source=cause.source,
        source_id=cause.source_id,
        reference=cause.reference,
        credit_event_id=getattr(cause, "credit_event_id", None),
        reverses_id=reverses.id if reverses else None,
        stripe_payment_intent_id=getattr(cause, "stripe_payment_intent_id", ""),
        expires_at=lot.expires_at if isinstance(cause, Grant) else None,
        description=cause.description,
        metadata=json.dumps(dict(cause.metadata)),
        created_at=wallet.head_at,
        entry_hash=wallet.head_hash,
    )
