"""The state while a plan is made, and the one place where credits move."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from apps.core import ids
from apps.core.errors import DomainError
from apps.credits.ledger.chain import entry_hash
from apps.credits.ledger.commands import Command, Expire, expiry_reference
from apps.credits.ledger.state import Entry, HoldState, LotState, State, WalletState


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: its transactions, now or when it was first carried out."""

    entries: tuple[Entry, ...] = ()
    is_replayed: bool = False
    hold: HoldState | None = None  # the one that the command is about
    preview_token: str = ""  # of a dry run: stands for exactly this outcome

    @property
    def amount(self) -> int:
        """Credits that the command moved into its wallet (negative: out of it)."""
        return sum(one.amount for one in self.entries if one.wallet_id == self.entries[0].wallet_id)


@dataclass(slots=True)
class Plan:
    """The rows to write, and each command's outcome or refusal, in order."""

    outcomes: list[Outcome | DomainError] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    wallets: dict[UUID, WalletState] = field(default_factory=dict)
    new_lots: dict[UUID, LotState] = field(default_factory=dict)
    changed_lots: dict[UUID, LotState] = field(default_factory=dict)
    frozen_lots: dict[UUID, datetime | None] = field(default_factory=dict)  # since when, or thawed
    new_holds: dict[UUID, HoldState] = field(default_factory=dict)
    changed_holds: dict[UUID, HoldState] = field(default_factory=dict)


class Book:
    """Moves credits in the state, and keeps the rows that say so."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.plan = Plan()

    def bring_up_to_date(self, wallet: WalletState) -> list[Entry]:
        """Do what time alone has made due: expire lots, release holds, repay debts."""
        already = len(self.plan.entries)
        self._expire_due_lots(wallet)
        self._release_due_holds(wallet)
        cause = Expire(
            wallet_id=wallet.id,
            reference=f"repay:{wallet.sequence + 1}",
            source="credit_line",
            description="Credits that became valid, against what was owed",
        )
        self.repay_debts(wallet, cause)
        return self.plan.entries[already:]

    def _expire_due_lots(self, wallet: WalletState) -> None:
        for lot in self.state.lots_of(wallet.id):
            if lot.remaining > 0 and lot.has_lapsed(self.state.now):
                self.expire_lot(wallet, lot, expiry_reference(lot.id))

    def _release_due_holds(self, wallet: WalletState) -> None:
        for hold in list(self.state.holds.values()):
            is_due = hold.status == "held" and hold.expires_at <= self.state.now
            if hold.wallet_id == wallet.id and is_due:
                cause = Expire(
                    wallet_id=wallet.id,
                    reference=hold.reference,
                    source="hold",
                    source_id=ids.encode("hold", hold.id),
                    description="Held too long",
                )
                self.give_back(wallet, hold, hold.amount, cause)
                self.settle_hold(wallet, hold, "expired")

    def give_back(
        self, wallet: WalletState, hold: HoldState, amount: int, cause: Command
    ) -> list[Entry]:
        """
        Release credits of a hold to the lots that they came from, last drawn first.

        What is past its date by now expires at once, and both can be seen.
        """
        taken = self.state.find(wallet.id, hold.reference)
        entries = []
        for entry in reversed([one for one in taken if one.transaction_type == "held"]):
            if part := min(-entry.amount, amount):
                lot = self.state.lots[wallet.id][entry.lot_id]
                entries.append(self.move(wallet, lot, "released", part, cause, reverses=entry))
                amount -= part
                if lot.has_lapsed(self.state.now):
                    self.expire_lot(wallet, lot, f"expiry:{cause.reference}")
        return entries

    def settle_hold(self, wallet: WalletState, hold: HoldState, status: str) -> None:
        """End a hold; its credits count as held no more."""
        wallet.held -= hold.amount
        hold.status = status
        self.keep_hold(wallet, hold)

    def keep_hold(self, wallet: WalletState, hold: HoldState) -> None:
        """Write a hold and its wallet, whether or not credits moved."""
        self.plan.wallets[wallet.id] = wallet
        if hold.id not in self.plan.new_holds:
            self.plan.changed_holds[hold.id] = hold

    def open_hold(self, wallet: WalletState, hold: HoldState) -> None:
        """Add a hold; the draws that follow set its credits aside."""
        wallet.held += hold.amount
        self.state.add_hold(hold)
        self.plan.new_holds[hold.id] = hold
        self.plan.wallets[wallet.id] = wallet

    def open_lot(self, lot: LotState) -> None:
        """Add a lot that is still empty; its first movement grants it."""
        self.state.add_lot(lot)
        self.plan.new_lots[lot.id] = lot
        if lot.is_frozen:
            self.plan.frozen_lots[lot.id] = self.state.now

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

    def draw(
        self,
        wallet: WalletState,
        lots: Iterable[LotState],
        transaction_type: str,
        amount: int,
        cause: Command,
    ) -> list[Entry]:
        """Take an amount out of lots in their order, one transaction for each that it touches."""
        entries = []
        for lot in lots:
            if not amount:
                break
            part = min(lot.remaining, amount)
            entries.append(self.move(wallet, lot, transaction_type, -part, cause))
            amount -= part
        assert not amount, "the caller has checked that the lots cover it"
        return entries

    def repay_debts(self, wallet: WalletState, cause: Command) -> list[Entry]:
        """Pay what is owed, oldest first, from the lots that are open to every event."""
        debts = self.state.debts_of(wallet.id)
        if not debts:
            return []
        lots = self.state.open_lots(wallet.id, frozenset())
        amount = min(-sum(lot.remaining for lot in debts), sum(lot.remaining for lot in lots))
        entries = self.draw(wallet, lots, "repaid", amount, cause)
        for debt in debts:
            if part := min(-debt.remaining, amount):
                entries.append(self.move(wallet, debt, "repaid", part, cause))
                amount -= part
        return entries

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
        if lot.is_owed_back:
            wallet.owed_back -= amount
        wallet.head_at = self.state.now
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
    is_first_of_lot = lot.remaining == amount == lot.granted
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
        expires_at=lot.expires_at if is_first_of_lot else None,
        description=cause.description,
        metadata=json.dumps(dict(cause.metadata)),
        created_at=wallet.head_at,
        entry_hash=wallet.head_hash,
    )
