"""Transactions as rows of a file."""

from collections.abc import Iterator

from django.db.models import QuerySet

from apps.credits.models import CreditTransaction

CHUNK = 2000
TRANSACTION_COLUMNS = [
    "id",
    "sequence",
    "created_at",
    "type",
    "amount",
    "balance_after",
    "description",
    "source",
    "source_id",
    "reference",
    "lot",
    "event",
    "actor",
]


def transaction_rows(entries: QuerySet[CreditTransaction]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each movement, newest first, in the order of TRANSACTION_COLUMNS."""
    for entry in newest_first(entries.select_related("lot", "credit_event")):
        yield (
            entry.public_id,
            entry.sequence,
            entry.created_at.isoformat(),
            entry.transaction_type,
            entry.amount,
            entry.balance_after,
            entry.description,
            entry.source,
            entry.source_id,
            entry.reference,
            entry.lot.public_id,
            entry.credit_event.name if entry.credit_event else "",
            entry.actor,
        )


def newest_first(entries: QuerySet[CreditTransaction]) -> Iterator[CreditTransaction]:
    """
    Yield the movements of one wallet from last to first, however many, a chunk at a time.

    By keyset and not by a cursor of the database: that would need a connection of its own
    for as long as the reader takes, which a pool in front of the database does not give.
    """
    entries = entries.order_by("-sequence")
    chunk = list(entries[:CHUNK])
    while chunk:
        yield from chunk
        if len(chunk) < CHUNK:
            return
        chunk = list(entries.filter(sequence__lt=chunk[-1].sequence)[:CHUNK])
