"""
Walk the wallets' chains, and recompute in Python what the database says of itself.

The hash is computed here and not by `credits_entry_hash`, so that a database whose
functions were changed cannot vouch for its own rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from apps.core import ids
from apps.core.chains import Fault, WalkedChain
from apps.core.errors import NotFound
from apps.credits.ledger.chain import entry_hash
from apps.credits.models import NO_HASH, CreditTransaction, Wallet
from apps.tenants.models import Organization

WALLETS_AT_ONCE = 500
ROWS_AT_ONCE = 2000
# One statement sees wallets and transactions as of one moment, so that a charge which is
# made meanwhile is in both or in neither.
WALK = """
    SELECT wallet.id, wallet.organization_id, wallet.sequence, wallet.balance,
           wallet.head_hash, wallet.head_at,
           entry.id, entry.organization_id, entry.sequence, entry.lot_id,
           entry.transaction_type, entry.amount, entry.balance_after, entry.lot_balance_after,
           entry.reverses_id, entry.created_at, entry.reference, entry.entry_hash
      FROM credits_wallet wallet
      LEFT JOIN credits_credittransaction entry ON entry.wallet_id = wallet.id
     WHERE wallet.id = ANY(%s)
     ORDER BY wallet.id, entry.sequence
"""


class Head(NamedTuple):
    """Where a wallet's row says that its chain ends."""

    wallet_id: UUID
    organization_id: UUID
    sequence: int
    balance: int
    head_hash: bytes
    head_at: datetime | None


class Link(NamedTuple):
    """A transaction, as far as it is sealed or can be recomputed."""

    id: UUID
    organization_id: UUID
    sequence: int
    lot_id: UUID
    transaction_type: str
    amount: int
    balance_after: int
    lot_balance_after: int
    reverses_id: UUID | None
    created_at: datetime
    reference: str
    entry_hash: bytes


@dataclass(slots=True)
class Chain:
    """A wallet's chain, as far as it was walked. Holds one number for each of its lots."""

    head: Head
    sequence: int = 0
    balance: int = 0
    seal: bytes = NO_HASH
    at: datetime | None = None
    last_id: UUID | None = None
    rows: int = 0
    lots: dict[UUID, int] = field(default_factory=dict)
    fault: Fault | None = None

    def follow(self, link: Link) -> None:
        """Go on to the next row; of a broken chain, only count the rest."""
        self.rows += 1
        if self.fault:
            return
        if problem := self.problem_of(link):
            row = ids.encode(CreditTransaction.PREFIX, link.id)
            self.fault = Fault(link.sequence, row, problem)
            return
        self.sequence, self.balance = link.sequence, link.balance_after
        self.seal, self.at, self.last_id = link.entry_hash, link.created_at, link.id
        self.lots[link.lot_id] = link.lot_balance_after

    def problem_of(self, link: Link) -> str:
        """Return what is wrong with the row after those that were walked, or nothing."""
        if link.sequence != self.sequence + 1:
            return f"number: {self.sequence + 1} was due, so a row is missing or stands twice"
        if link.organization_id != self.head.organization_id:
            return "organization: the row belongs to another one than its wallet"
        if link.entry_hash != self.seal_of(link):
            return "hash: it does not fit the row, or not the one before it"
        return self.miscalculation_of(link)

    def miscalculation_of(self, link: Link) -> str:
        """Return what does not add up in a row whose hash is right, or nothing."""
        if link.balance_after != self.balance + link.amount:
            return f"balance: {self.balance} and {link.amount:+} are not {link.balance_after}"
        if self.at is not None and link.created_at < self.at:
            return "time: it was written before the row that it follows"
        before = self.lots.get(link.lot_id, 0)
        if link.lot_balance_after != before + link.amount:
            return f"lot: {before} and {link.amount:+} are not {link.lot_balance_after}"
        return ""

    def seal_of(self, link: Link) -> bytes:
        """Return the hash that the row must have here."""
        return entry_hash(
            self.seal,
            wallet_id=self.head.wallet_id,
            sequence=link.sequence,
            lot_id=link.lot_id,
            transaction_type=link.transaction_type,
            amount=link.amount,
            balance_after=link.balance_after,
            reverses_id=link.reverses_id,
            created_at=link.created_at,
            reference=link.reference,
        )

    def end(self) -> WalkedChain:
        """Compare where the walk ended with where the wallet stands."""
        stands = (self.head.sequence, self.head.balance, self.head.head_hash, self.head.head_at)
        if self.fault is None and stands != (self.sequence, self.balance, self.seal, self.at):
            last = ids.encode(CreditTransaction.PREFIX, self.last_id) if self.last_id else ""
            self.fault = Fault(
                self.sequence, last, "head: the wallet does not stand where its last row left it"
            )
        name = ids.encode(Wallet.PREFIX, self.head.wallet_id)
        return WalkedChain(name, self.rows, self.fault)


def walk_chains(*, wallet: str = "", organization: str = "") -> Iterator[WalkedChain]:
    """
    Walk every wallet's chain, or that of a wallet (`wal_…`), or those of an organization.

    Memory does not grow with the rows: they come through a cursor of the server.

    :raises NotFound: if wallet or organization is named and does not exist.
    """
    wallets = Wallet.objects.order_by("id")
    if wallet:
        wallet_id = Wallet.read_id(wallet)
        wallets = wallets.filter(id__in=[wallet_id] if wallet_id else [])
    if organization:
        if not Organization.objects.filter(slug=organization).exists():
            raise NotFound
        wallets = wallets.filter(organization__slug=organization)
    last: UUID | None = None
    while batch := list(
        (wallets.filter(id__gt=last) if last else wallets).values_list("id", flat=True)[
            :WALLETS_AT_ONCE
        ]
    ):
        yield from _walk(batch)
        last = batch[-1]
    if wallet and last is None:
        raise NotFound


def _walk(wallet_ids: Sequence[UUID]) -> Iterator[WalkedChain]:
    """Walk these wallets' chains in the order of their ids."""
    chain: Chain | None = None
    # Outside a transaction, the server would keep the whole result for the cursor.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(WALK, [list(wallet_ids)])
        for rows in iter(partial(cursor.fetchmany, ROWS_AT_ONCE), []):
            for row in rows:
                head = Head(*row[:6])
                if chain is None or chain.head.wallet_id != head.wallet_id:
                    if chain:
                        yield chain.end()
                    chain = Chain(head)
                if row[6] is not None:
                    chain.follow(Link(*row[6:]))
    if chain:
        yield chain.end()
