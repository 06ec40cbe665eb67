"""
The rules, as a pure function: locked state and commands in, rows and outcomes out.

Order for each command: replay, then status, then expire what is due, then balance,
then write. It touches no database, so it is tested against a plain model.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.core import ids
from apps.core.errors import DomainError
from apps.credits.errors import (
    AlreadyRefunded,
    ChargeNotFound,
    InsufficientCredits,
    InvalidAmount,
    LotExpiresTooEarly,
    ReferenceReused,
    WalletClosed,
    WalletFrozen,
)
from apps.credits.ledger.chain import entry_hash
from apps.credits.ledger.commands import PRIORITIES, Charge, Command, Expire, Grant, Refund
from apps.credits.ledger.state import Entry, LotState, State, WalletState

LARGEST_AMOUNT = 10**15  # credits in one command
LARGEST_BALANCE = 2**63 - 1  # what the column holds
GRACE = timedelta(days=7)  # life of a lot that replaces one which died before our failure
GRANT_TYPES = {"purchase": "purchased", "adjustment": "adjusted"}  # all others are earned


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


def plan(state: State, commands: Sequence[Command]) -> Plan:
    """Return what carrying out the commands in order would write; a refusal stops only itself."""
    planner = _Planner(state)
    for command in commands:
        try:
            planner.result.outcomes.append(planner.carry_out(command))
        except DomainError as refusal:
            planner.result.outcomes.append(refusal)
    return planner.result


class _Planner:
    """Carries out commands on the state, and keeps what changes."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.result = Plan()
        self.rules: dict[type[Command], Callable[[Any, WalletState], list[Entry]]] = {
            Grant: self.grant,
            Charge: self.charge,
            Refund: self.refund,
            Expire: self.expire,
        }

    def carry_out(self, command: Command) -> Outcome:
        wallet = self.state.wallets[command.wallet_id]
        if earlier := self.state.entries.get((wallet.id, command.reference)):
            return self.replay(command, earlier)
        if isinstance(command, Expire):
            return Outcome(tuple(self.expire(command, wallet)))
        if wallet.is_closed:
            raise WalletClosed
        if wallet.is_frozen and isinstance(command, Charge):
            raise WalletFrozen
        check_amount(command)
        self.expire_due_lots(wallet)
        return Outcome(tuple(self.rules[type(command)](command, wallet)))

    def replay(self, command: Command, earlier: list[Entry]) -> Outcome:
        """Return what was done before, if it is what is asked now."""
        outcome = Outcome(tuple(earlier), is_replayed=True)
        if not self.is_same(command, outcome):
            raise ReferenceReused(reference=command.reference)
        return outcome

    def is_same(self, command: Command, earlier: Outcome) -> bool:
        first = earlier.entries[0]
        match command:
            case Grant():
                granted_as = GRANT_TYPES.get(command.kind, "earned")
                return (first.transaction_type, earlier.amount) == (granted_as, command.amount)
            case Charge():
                event = command.credit_event_id
                return (first.transaction_type, earlier.amount, first.credit_event_id) == (
                    "consumed",
                    -command.amount,
                    event,
                )
            case Refund():
                charge = self.state.entries.get((command.wallet_id, command.of), [])
                return (
                    first.transaction_type == "refunded"
                    and first.reverses_id in {entry.id for entry in charge}
                    and command.amount in (None, earlier.amount)
                )
            case _:
                return first.transaction_type == "expired"

    def grant(self, command: Grant, wallet: WalletState) -> list[Entry]:
        now = self.state.now
        effective_at = command.effective_at or now
        if command.expires_at and command.expires_at <= max(effective_at, now):
            raise LotExpiresTooEarly(expires_at=command.expires_at.isoformat())
        if wallet.balance + command.amount > LARGEST_BALANCE:
            raise InvalidAmount(amount=command.amount, largest=LARGEST_BALANCE - wallet.balance)
        priority = PRIORITIES[command.kind] if command.priority is None else command.priority
        lot = LotState(
            id=ids.new_id(),
            wallet_id=wallet.id,
            organization_id=wallet.organization_id,
            kind=command.kind,
            granted=command.amount,
            remaining=0,
            priority=priority,
            effective_at=effective_at,
            expires_at=command.expires_at,
            unit_cost=command.unit_cost,
            currency=command.currency,
            features=command.features,
            is_frozen=False,
            origin=command.reference,
        )
        self.open_lot(lot)
        granted_as = GRANT_TYPES.get(command.kind, "earned")
        return [self.move(wallet, lot, granted_as, command.amount, command)]

    def charge(self, command: Charge, wallet: WalletState) -> list[Entry]:
        open_lots = [
            lot
            for lot in self.state.lots_of(wallet.id)
            if lot.is_open(self.state.now, command.features)
        ]
        available = sum(lot.remaining for lot in open_lots)
        if available < command.amount:
            raise InsufficientCredits(
                required=command.amount,
                available=available,
                held=wallet.held,
                shortfall=command.amount - available,
            )
        entries, due = [], command.amount
        for lot in open_lots:
            part = min(lot.remaining, due)
            entries.append(self.move(wallet, lot, "consumed", -part, command))
            due -= part
            if not due:
                break
        return entries

    def refund(self, command: Refund, wallet: WalletState) -> list[Entry]:
        charge = self.state.entries.get((wallet.id, command.of), [])
        parts = [
            (entry, -entry.amount - self.state.refunded.get(entry.id, 0))
            for entry in reversed(charge)
            if entry.transaction_type == "consumed"
        ]
        if not parts:
            raise ChargeNotFound(reference=command.of)
        refundable = sum(left for _, left in parts)
        due = refundable if command.amount is None else command.amount
        if due > refundable or not refundable:
            raise AlreadyRefunded(reference=command.of, refundable=refundable)
        entries = []
        for entry, left in parts:
            if part := min(left, due):
                entries.append(self.give_back(command, wallet, entry, part))
                due -= part
        return entries

    def give_back(self, command: Refund, wallet: WalletState, charged: Entry, part: int) -> Entry:
        """Return part of a charge to its lot, or to a grace lot, or to a lot that dies again."""
        lot = self.state.lots[wallet.id][charged.lot_id]
        is_dead = lot.is_expired(self.state.now)
        if is_dead and command.is_our_fault:
            lot = replace(
                lot,
                id=ids.new_id(),
                granted=part,
                remaining=0,
                effective_at=self.state.now,
                expires_at=self.state.now + GRACE,
                origin=f"grace:{command.reference}:{ids.encode('lot', lot.id)}",
            )
            self.open_lot(lot)
        entry = self.move(wallet, lot, "refunded", part, command, reverses=charged)
        if is_dead and not command.is_our_fault:
            self.expire_lot(wallet, lot, f"expiry:{command.reference}")
        return entry

    def expire(self, command: Expire, wallet: WalletState) -> list[Entry]:
        return self.expire_due_lots(wallet)

    def expire_due_lots(self, wallet: WalletState) -> list[Entry]:
        return [
            self.expire_lot(wallet, lot, f"expiry:{ids.encode('lot', lot.id)}")
            for lot in self.state.lots_of(wallet.id)
            if lot.remaining and lot.is_expired(self.state.now)
        ]

    def expire_lot(self, wallet: WalletState, lot: LotState, reference: str) -> Entry:
        cause = Expire(
            wallet_id=wallet.id,
            reference=reference,
            source="expiry",
            source_id=ids.encode("lot", lot.id),
            description="Credits past their date",
        )
        return self.move(wallet, lot, "expired", -lot.remaining, cause)

    def open_lot(self, lot: LotState) -> None:
        self.state.add_lot(lot)
        self.result.new_lots[lot.id] = lot

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
        created_at = max(self.state.now, wallet.head_at or self.state.now)
        reverses_id = reverses.id if reverses else None
        wallet.head_at = created_at
        wallet.head_hash = entry_hash(
            wallet.head_hash,
            wallet_id=wallet.id,
            sequence=wallet.sequence,
            lot_id=lot.id,
            transaction_type=transaction_type,
            amount=amount,
            balance_after=wallet.balance,
            reverses_id=reverses_id,
            created_at=created_at,
            reference=cause.reference,
        )
        entry = Entry(
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
            reverses_id=reverses_id,
            stripe_payment_intent_id=getattr(cause, "stripe_payment_intent_id", ""),
            expires_at=lot.expires_at if isinstance(cause, Grant) else None,
            description=cause.description,
            metadata=json.dumps(dict(cause.metadata)),
            created_at=created_at,
            entry_hash=wallet.head_hash,
        )
        self.record(wallet, lot, entry)
        return entry

    def record(self, wallet: WalletState, lot: LotState, entry: Entry) -> None:
        self.state.add_entry(entry)
        self.result.entries.append(entry)
        self.result.wallets[wallet.id] = wallet
        if lot.id not in self.result.new_lots:
            self.result.changed_lots[lot.id] = lot


def check_amount(command: Command) -> None:
    """
    Refuse an amount that is no whole number above zero; None means all, where it may.

    :raises InvalidAmount: if it is not.
    """
    amount = getattr(command, "amount", None)
    if amount is None:
        return
    if type(amount) is not int or not 0 < amount <= LARGEST_AMOUNT:
        raise InvalidAmount(amount=amount, largest=LARGEST_AMOUNT)
