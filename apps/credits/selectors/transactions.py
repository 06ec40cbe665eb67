"""The movements of a wallet, and the operations that they are parts of."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.errors import NotFound
from apps.credits.models import CreditTransaction, Wallet


@dataclass(frozen=True)
class Operation:
    """Movements with one cause, shown as one line with parts."""

    parts: tuple[CreditTransaction, ...]

    @property
    def last(self) -> CreditTransaction:
        """The part that was written last: its id and balance stand for the operation."""
        return self.parts[-1]

    @property
    def amount(self) -> int:
        """Credits that it moved into the wallet (negative: out of it)."""
        return sum(part.amount for part in self.parts)


def transactions_of(wallet: Wallet, *, actor: str | None = None) -> QuerySet[CreditTransaction]:
    """Return the movements of the wallet, or what the actor caused and got back of it."""
    movements = CreditTransaction.objects.filter(wallet=wallet)
    if actor is None:
        return movements
    return movements.filter(Q(actor=actor) | Q(reverses__actor=actor))


def heads_of_operations(wallet: Wallet, *, actor: str | None = None) -> QuerySet[CreditTransaction]:
    """Return the last part of each operation of the wallet (or of those that the actor caused)."""
    later_part = CreditTransaction.objects.filter(
        wallet=OuterRef("wallet"),
        reference=OuterRef("reference"),
        transaction_type=OuterRef("transaction_type"),
        sequence__gt=OuterRef("sequence"),
    )
    return transactions_of(wallet, actor=actor).filter(~Exists(later_part))


def operations(heads: Iterable[CreditTransaction]) -> list[Operation]:
    """Return the operations whose last parts are given, in the same order, with one query."""
    heads = list(heads)
    if not heads:
        return []
    found: dict[tuple[str, str], list[CreditTransaction]] = {}
    parts = CreditTransaction.objects.filter(
        wallet=heads[0].wallet_id, reference__in={head.reference for head in heads}
    )
    for part in parts.select_related("lot", "credit_event").order_by("sequence"):
        found.setdefault((part.reference, part.transaction_type), []).append(part)
    return [Operation(tuple(found[head.reference, head.transaction_type])) for head in heads]


def recent_operations(wallet: Wallet, *, limit: int, actor: str | None = None) -> list[Operation]:
    """Return the last operations of the wallet (or the actor's), newest first."""
    heads = heads_of_operations(wallet, actor=actor)
    return operations(heads.order_by("-sequence")[:limit])


def operation_of(
    wallet: Wallet, transaction_id: UUID | None, *, actor: str | None = None
) -> Operation:
    """
    Return the operation to which a transaction of the wallet (or of the actor) belongs.

    :raises NotFound: if the wallet has no such transaction.
    """
    if transaction_id is None:
        raise NotFound
    found = transactions_of(wallet, actor=actor).filter(id=transaction_id).first()
    if found is None:
        raise NotFound
    return operations([found])[0]


def transaction_ids(wallet: Wallet, references: Iterable[str]) -> dict[str, str]:
    """Return the public id under which each of these causes is found, where it is."""
    found = CreditTransaction.objects.filter(wallet=wallet, reference__in=list(references))
    return {entry.reference: entry.public_id for entry in found.order_by("sequence")}
