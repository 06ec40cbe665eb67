"""
Statements: what a wallet held, what moved, and what it holds, with everything that seals it.

A period's movements are a range of numbers, because the times of a wallet's rows never go
back. Both ends are found first, so what is charged meanwhile cannot tear the statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, QuerySet, Sum

from apps.core.errors import NotFound
from apps.core.exports import FORMULA_STARTS
from apps.core.periods import Period
from apps.credits.errors import StatementTooLong
from apps.credits.models import NO_HASH, CreditTransaction, Wallet
from apps.credits.selectors.balances import wallets_of
from apps.tenants.models import Organization

CHUNK = 2000  # rows in memory at once
LARGEST_PDF = 500  # movements: a web process is busy for some four seconds
COLUMNS = [
    "line",
    "wallet",
    "sequence",
    "created_at",
    "type",
    "amount",
    "balance_after",
    "lot",
    "reverses",
    "reference",
    "previous_hash",
    "entry_hash",
]


@dataclass(frozen=True)
class Mark:
    """Where a wallet's chain stood: after its row `sequence` (0: before the first one)."""

    sequence: int = 0
    balance: int = 0  # credits
    entry_hash: str = NO_HASH.hex()


@dataclass(frozen=True)
class SumOfType:
    """What moved in one way."""

    type: str
    count: int
    amount: int  # credits, signed


@dataclass(frozen=True)
class Statement:
    """A wallet's period: opening + sums = closing."""

    wallet: Wallet
    period: Period
    opening: Mark
    closing: Mark
    sums: tuple[SumOfType, ...]

    @property
    def count(self) -> int:
        """How many movements it has."""
        return self.closing.sequence - self.opening.sequence

    @property
    def name(self) -> str:
        """What its files are called, without an ending."""
        return f"statement-{self.wallet.public_id}-{self.period.first_day}-{self.period.last_day}"

    def movements(self) -> QuerySet[CreditTransaction]:
        """Return the period's rows, in the order of the chain."""
        return CreditTransaction.objects.filter(
            wallet=self.wallet,
            sequence__gt=self.opening.sequence,
            sequence__lte=self.closing.sequence,
        ).order_by("sequence")

    def chained(self) -> Iterator[tuple[str, CreditTransaction]]:
        """Yield each row with the hash before it, without keeping any."""
        previous, last = self.opening.entry_hash, self.opening.sequence
        # By keyset, because a pool in front of the database gives no cursor for so long.
        while chunk := list(self.movements().filter(sequence__gt=last)[:CHUNK]):
            for entry in chunk:
                yield previous, entry
                previous, last = bytes(entry.entry_hash).hex(), entry.sequence
            if last >= self.closing.sequence:
                return

    def lines(self) -> Iterator[list[object]]:
        """Yield the CSV's lines: opening, movements, a sum for each type, closing."""
        yield self._mark("opening", self.period.starts_at, self.opening)
        for previous, entry in self.chained():
            yield [
                "movement",
                str(entry.wallet_id),
                entry.sequence,
                instant(entry.created_at),
                entry.transaction_type,
                entry.amount,
                entry.balance_after,
                str(entry.lot_id),
                str(entry.reverses_id or ""),
                quoted(entry.reference),
                previous,
                bytes(entry.entry_hash).hex(),
            ]
        for one in self.sums:
            yield ["sum", str(self.wallet.id), "", "", one.type, one.amount, *[""] * 6]
        yield self._mark("closing", self.period.ends_at, self.closing)

    def _mark(self, line: str, at: datetime, mark: Mark) -> list[object]:
        cells = [line, str(self.wallet.id), mark.sequence, instant(at), "", "", mark.balance]
        return [*cells, "", "", "", "", mark.entry_hash]


def instant(moment: datetime) -> str:
    """Write a moment so that it can be read back to the microsecond, UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def quoted(text: str) -> str:
    """
    Put an apostrophe before text that a spreadsheet would run, or that begins with one.

    Unlike other exports, it can be undone: whoever verifies takes one apostrophe off.
    """
    return f"'{text}" if text.startswith((*FORMULA_STARTS, "'")) else text


def wallet_of(organization: Organization, wallet_id: UUID | None) -> Wallet:
    """
    Return the organization's own wallet with this id.

    :raises NotFound: if there is none; a member's, or one of another organization, looks the same.
    """
    found = wallets_of(organization).filter(pk=wallet_id).first() if wallet_id else None
    if found is None:
        raise NotFound
    return found


def statement_of(wallet: Wallet, period: Period) -> Statement:
    """Return the statement of a wallet for a period (of one that runs: as far as it has come)."""
    opening = mark_at(wallet, period.starts_at)
    closing = mark_at(wallet, period.ends_at)
    statement = Statement(wallet, period, opening, closing, ())
    sums = (
        statement.movements()
        .order_by("transaction_type")
        .values_list("transaction_type")
        .annotate(count=Count("id"), amount=Sum("amount"))
    )
    summed = tuple(SumOfType(*row) for row in sums)
    return replace(statement, sums=summed)


def document_facts(statement: Statement) -> dict[str, Any]:
    """
    Return what the PDF of a statement shows.

    :raises StatementTooLong: if it has more movements than a PDF holds.
    """
    if statement.count > LARGEST_PDF:
        raise StatementTooLong(movements=statement.count, largest=LARGEST_PDF)
    return {
        "organization": statement.wallet.organization,
        "statement": statement,
        "movements": list(statement.chained()),
    }


def mark_at(wallet: Wallet, moment: datetime) -> Mark:
    """Return where the wallet's chain stood just before this moment."""
    last = (
        CreditTransaction.objects.filter(
            organization_id=wallet.organization_id, wallet=wallet, created_at__lt=moment
        )
        # Through the index by organization and time; only rows of one instant are sorted.
        .order_by("-created_at", "-sequence")
        .first()
    )
    if last is None:
        return Mark()
    return Mark(last.sequence, last.balance_after, bytes(last.entry_hash).hex())


def first_movement_at(wallet: Wallet) -> datetime | None:
    """Return when the wallet's first row was written, or None if it has none."""
    first = CreditTransaction.objects.filter(wallet=wallet, sequence=1)
    moment: datetime | None = first.aggregate(at=Min("created_at"))["at"]
    return moment
