"""The hash that ties each transaction of a wallet to the one before it."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entry_hash(
    previous: bytes,
    *,
    wallet_id: UUID,
    sequence: int,
    lot_id: UUID,
    transaction_type: str,
    amount: int,
    balance_after: int,
    reverses_id: UUID | None,
    created_at: datetime,
    reference: str,
) -> bytes:
    """
    Return the SHA-256 of the previous hash and of all that gives the row its meaning.

    The same text is hashed by `credits_entry_hash` in the database. The reference comes
    last, because it alone may contain the separator.
    """
    microseconds = (created_at - EPOCH) // timedelta(microseconds=1)
    parts = [
        previous.hex(),
        str(wallet_id),
        str(sequence),
        str(lot_id),
        transaction_type,
        str(amount),
        str(balance_after),
        str(reverses_id or ""),
        str(microseconds),
        reference,
    ]
    return hashlib.sha256("|".join(parts).encode()).digest()
