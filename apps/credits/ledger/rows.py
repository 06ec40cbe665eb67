"""The ledger's SQL: every statement that reads under the lock or writes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from apps.core import clock
from apps.credits.ledger.state import Entry, LotState, WalletState

LOT_COLUMNS = (
    "id, wallet_id, organization_id, kind, granted, remaining, priority, effective_at,"
    " expires_at, unit_cost, currency, features, frozen_at IS NOT NULL, origin"
)
ENTRY_TYPES = {
    "id": "uuid",
    "organization_id": "uuid",
    "wallet_id": "uuid",
    "lot_id": "uuid",
    "sequence": "bigint",
    "transaction_type": "text",
    "amount": "bigint",
    "balance_after": "bigint",
    "lot_balance_after": "bigint",
    "source": "text",
    "source_id": "text",
    "reference": "text",
    "credit_event_id": "uuid",
    "reverses_id": "uuid",
    "stripe_payment_intent_id": "text",
    "expires_at": "timestamptz",
    "description": "text",
    "metadata": "jsonb",
    "created_at": "timestamptz",
    "entry_hash": "bytea",
}
assert list(ENTRY_TYPES) == [field.name for field in fields(Entry)]
ENTRY_COLUMNS = ", ".join(ENTRY_TYPES)


def _qualified(alias: str) -> str:
    return ", ".join(
        f"{alias}.{name}::text" if kind == "jsonb" else f"{alias}.{name}"
        for name, kind in ENTRY_TYPES.items()
    )


# Only names of our own columns are put into SQL.
NAMED_ENTRIES = f"""
    SELECT {_qualified("t")} FROM credits_credittransaction t
      JOIN unnest(%s::uuid[], %s::text[]) AS asked (wallet_id, reference)
        ON t.wallet_id = asked.wallet_id AND t.reference = asked.reference
"""  # noqa: S608
NAMED_ENTRIES_AND_REFUNDS = f"""
    WITH named AS ({NAMED_ENTRIES})
    SELECT * FROM named
     UNION
    SELECT {_qualified("r")} FROM credits_credittransaction r
      JOIN named ON r.reverses_id = named.id
"""  # noqa: S608


def lock_wallets(cursor: CursorWrapper, wallet_ids: Sequence[UUID]) -> list[WalletState]:
    """Lock these wallets in id order; rows that only point at them need not wait."""
    cursor.execute(
        """
        SELECT id, organization_id, balance, held, sequence, head_hash, head_at,
               frozen_at IS NOT NULL, closed_at IS NOT NULL
          FROM credits_wallet WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
        """,
        [list(wallet_ids)],
    )
    return [WalletState(*row) for row in cursor.fetchall()]


def read_entries(
    cursor: CursorWrapper, asked: Collection[tuple[UUID, str]], *, with_refunds: bool
) -> list[Entry]:
    """Return the transactions with these references, and (asked for) what reversed them."""
    wallet_ids, references = zip(*asked, strict=True)
    sql = NAMED_ENTRIES_AND_REFUNDS if with_refunds else NAMED_ENTRIES
    cursor.execute(f"{sql} ORDER BY wallet_id, sequence", [list(wallet_ids), list(references)])
    return [Entry(*row) for row in cursor.fetchall()]


def read_lots(
    cursor: CursorWrapper, wallet_ids: Sequence[UUID], named: Collection[UUID]
) -> tuple[datetime, list[LotState]]:
    """Return the database's clock, now that the locks are held, and the lots that matter."""
    cursor.execute(
        f"""
        SELECT coalesce(%s, clock_timestamp()), {LOT_COLUMNS}
          FROM (VALUES (1)) AS always
          LEFT JOIN credits_lot
            ON wallet_id = ANY(%s) AND (remaining > 0 OR id = ANY(%s))
        """,  # noqa: S608
        [clock.moved(), list(wallet_ids), list(named)],
    )
    found = cursor.fetchall()
    return found[0][0], [LotState(*row[1:]) for row in found if row[1] is not None]


def update_wallets(cursor: CursorWrapper, wallets: Iterable[WalletState]) -> None:
    """Write balances, sequence and head of the chain."""
    columns = zip(
        *((w.id, w.balance, w.held, w.sequence, w.head_hash, w.head_at) for w in wallets),
        strict=True,
    )
    cursor.execute(
        """
        UPDATE credits_wallet AS wallet
           SET balance = new.balance, held = new.held, sequence = new.sequence,
               head_hash = new.head_hash, head_at = new.head_at
          FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[],
                      %s::timestamptz[])
               AS new (id, balance, held, sequence, head_hash, head_at)
         WHERE wallet.id = new.id
        """,
        [list(column) for column in columns],
    )


def insert_lots(cursor: CursorWrapper, lots: Iterable[LotState]) -> None:
    """Write new lots, with what is left of them already."""
    columns = zip(
        *(
            (
                lot.id,
                lot.wallet_id,
                lot.organization_id,
                lot.kind,
                lot.granted,
                lot.remaining,
                lot.priority,
                lot.effective_at,
                lot.expires_at,
                lot.unit_cost,
                lot.currency,
                None if lot.features is None else "\n".join(lot.features),
                lot.origin,
            )
            for lot in lots
        ),
        strict=True,
    )
    # Arrays of arrays must be rectangular, so features travel as one text each.
    cursor.execute(
        """
        INSERT INTO credits_lot
               (id, wallet_id, organization_id, kind, granted, remaining, priority,
                effective_at, expires_at, unit_cost, currency, features, origin)
        SELECT id, wallet_id, organization_id, kind, granted, remaining, priority,
               effective_at, expires_at, unit_cost, currency,
               CASE WHEN features = '' THEN '{}' ELSE string_to_array(features, E'\\n') END,
               origin
          FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[],
                      %s::bigint[], %s::smallint[], %s::timestamptz[], %s::timestamptz[],
                      %s::numeric[], %s::text[], %s::text[], %s::text[])
               AS new (id, wallet_id, organization_id, kind, granted, remaining, priority,
                       effective_at, expires_at, unit_cost, currency, features, origin)
        """,
        [list(column) for column in columns],
    )


def update_lots(cursor: CursorWrapper, lots: Iterable[LotState]) -> None:
    """Write what remains."""
    columns = zip(*((lot.id, lot.remaining) for lot in lots), strict=True)
    cursor.execute(
        """
        UPDATE credits_lot AS lot SET remaining = new.remaining
          FROM unnest(%s::uuid[], %s::bigint[]) AS new (id, remaining) WHERE lot.id = new.id
        """,
        [list(column) for column in columns],
    )


def insert_entries(
    cursor: CursorWrapper, entries: Sequence[Entry], actor: str, request_id: str
) -> None:
    """Append transactions; the database re-verifies the chains that they continue."""
    names = list(ENTRY_TYPES)
    arrays = ", ".join(f"%s::{'text' if t == 'jsonb' else t}[]" for t in ENTRY_TYPES.values())
    picked = ", ".join(f"{n}::jsonb" if t == "jsonb" else n for n, t in ENTRY_TYPES.items())
    cursor.execute(
        f"""
        INSERT INTO credits_credittransaction ({ENTRY_COLUMNS}, actor, request_id)
        SELECT {picked}, %s, %s FROM unnest({arrays}) AS new ({ENTRY_COLUMNS})
        """,  # noqa: S608
        [actor, request_id, *([getattr(entry, name) for entry in entries] for name in names)],
    )
