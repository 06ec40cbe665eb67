"""The ledger's SQL: every statement that reads under the lock or writes."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import args_row
from psycopg.types.numeric import Int8  # so that a number's size does not change the statement

from apps.core import clock
from apps.core.db import Ask
from apps.credits.ledger.commands import Named
from apps.credits.ledger.state import Entry, HoldState, LotState, WalletState

# New rows, with their types. They travel as one JSON text, however many there are: the
# statement then has the same form for one row and for a thousand.
LOT_TYPES = {
    "id": "uuid",
    "wallet_id": "uuid",
    "organization_id": "uuid",
    "kind": "text",
    "granted": "bigint",
    "remaining": "bigint",
    "priority": "smallint",
    "effective_at": "timestamptz",
    "expires_at": "timestamptz",
    "unit_cost": "numeric",
    "currency": "text",
    "features": "text[]",
    "origin": "text",
    "heir_of_id": "uuid",
    "returns_to_id": "uuid",
}
HOLD_TYPES = {
    "id": "uuid",
    "wallet_id": "uuid",
    "organization_id": "uuid",
    "reference": "text",
    "amount": "bigint",
    "captured": "bigint",
    "status": "text",
    "policy": "text",
    "expires_at": "timestamptz",
    "credit_event_id": "uuid",
    "features": "text[]",
}
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
    "metadata": "text",  # a JSON text, kept as jsonb
    "created_at": "timestamptz",
    "entry_hash": "bytea",
}
assert list(HOLD_TYPES) == [field.name for field in fields(HoldState)]
assert list(ENTRY_TYPES) == [field.name for field in fields(Entry)]


def _names(types: Iterable[str], alias: str = "") -> str:
    return ", ".join(f"{alias}{name}" for name in types)


def _recordset(types: dict[str, str]) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return f"json_to_recordset(%s::json) AS new ({columns})"


# Only names of our own columns are put into SQL.
LOCKED_WALLETS = """
    SELECT id, organization_id, balance, held, credit_line, sequence, head_hash, head_at,
           frozen_at, closed_at, has_budget, owed_back
      FROM credits_wallet WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
# The clock is read here, now that the locks are held; it comes even where there is no hold.
DUE_AND_NAMED_HOLDS = f"""
    WITH moment AS MATERIALIZED (SELECT coalesce(%s::timestamptz, clock_timestamp()) AS now)
    SELECT moment.now, {_names(HOLD_TYPES, "hold.")}
      FROM moment LEFT JOIN LATERAL (
           SELECT * FROM credits_hold
            WHERE wallet_id = ANY(%s) AND status = 'held' AND expires_at <= moment.now
            UNION
           SELECT named.* FROM unnest(%s::uuid[], %s::text[]) AS asked (wallet_id, reference)
             JOIN credits_hold named
               ON named.wallet_id = asked.wallet_id AND named.reference = asked.reference) AS hold
        ON true
"""  # noqa: S608
# One look into the index for each reference, whatever the planner believes of the table's size.
NAMED_ENTRIES = f"""
    SELECT t.* FROM unnest(%s::uuid[], %s::text[]) AS asked (wallet_id, reference)
     CROSS JOIN LATERAL (
           SELECT {_names(ENTRY_TYPES).replace("metadata", "metadata::text")}
             FROM credits_credittransaction entry
            WHERE entry.wallet_id = asked.wallet_id AND entry.reference = asked.reference
           OFFSET 0) AS t
"""  # noqa: S608
NAMED_ENTRIES_AND_WHAT_REVERSED_THEM = f"""
    WITH named AS ({NAMED_ENTRIES})
    SELECT * FROM named
     UNION
    SELECT back.* FROM named CROSS JOIN LATERAL (
           SELECT {_names(ENTRY_TYPES).replace("metadata", "metadata::text")}
             FROM credits_credittransaction entry
            WHERE entry.reverses_id = named.id
           OFFSET 0) AS back
     ORDER BY wallet_id, sequence
"""  # noqa: S608
LOTS_WITH_CREDITS_OR_NAMED = f"""
    SELECT lot.* FROM (
           SELECT id FROM credits_lot WHERE wallet_id = ANY(%s) AND has_credits
            UNION
           SELECT id FROM credits_lot WHERE id = ANY(%s) AND wallet_id = ANY(%s)
            UNION
           SELECT id FROM credits_lot WHERE heir_of_id = ANY(%s) AND wallet_id = ANY(%s)
            UNION
           SELECT origin.id FROM credits_lot lent
             JOIN credits_lot origin ON origin.id = lent.returns_to_id
            WHERE lent.id = ANY(%s) AND origin.wallet_id = ANY(%s)
            UNION
           SELECT lot_id FROM ({NAMED_ENTRIES}) AS named) AS wanted
     CROSS JOIN LATERAL (
           SELECT id, wallet_id, organization_id, kind, granted, remaining, priority,
                  effective_at, expires_at, unit_cost, currency, features,
                  frozen_at IS NOT NULL, origin, heir_of_id, returns_to_id
             FROM credits_lot WHERE id = wanted.id OFFSET 0) AS lot
"""  # noqa: S608
CHANGED_WALLETS = """
    UPDATE credits_wallet AS wallet
       SET balance = new.balance, held = new.held, credit_line = new.credit_line,
           sequence = new.sequence, head_hash = new.head_hash, head_at = new.head_at,
           frozen_at = new.frozen_at, closed_at = new.closed_at, owed_back = new.owed_back
      FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
                  %s::bytea[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                  %s::bigint[])
           AS new (id, balance, held, credit_line, sequence, head_hash, head_at, frozen_at,
                   closed_at, owed_back)
     WHERE wallet.id = new.id
"""
CHANGED_LOTS = """
    UPDATE credits_lot AS lot SET remaining = new.remaining
      FROM unnest(%s::uuid[], %s::bigint[]) AS new (id, remaining) WHERE lot.id = new.id
"""
FROZEN_LOTS = """
    UPDATE credits_lot AS lot SET frozen_at = new.frozen_at
      FROM unnest(%s::uuid[], %s::timestamptz[]) AS new (id, frozen_at) WHERE lot.id = new.id
"""
CHANGED_HOLDS = """
    UPDATE credits_hold AS hold
       SET status = new.status, captured = new.captured, expires_at = new.expires_at
      FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::timestamptz[])
           AS new (id, status, captured, expires_at)
     WHERE hold.id = new.id
"""
NEW_LOTS = f"""
    INSERT INTO credits_lot ({_names(LOT_TYPES)})
    SELECT {_names(LOT_TYPES)} FROM {_recordset(LOT_TYPES)}
"""  # noqa: S608
NEW_HOLDS = f"""
    INSERT INTO credits_hold ({_names(HOLD_TYPES)})
    SELECT {_names(HOLD_TYPES)} FROM {_recordset(HOLD_TYPES)}
"""  # noqa: S608
NEW_ENTRIES = f"""
    INSERT INTO credits_credittransaction (actor, request_id, {_names(ENTRY_TYPES)})
    SELECT %s, %s, {_names(ENTRY_TYPES).replace("metadata", "metadata::jsonb")}
      FROM {_recordset(ENTRY_TYPES)}
"""  # noqa: S608


def lock_wallets(ask: Ask, wallet_ids: Sequence[UUID]) -> Cursor[WalletState]:
    """Lock these wallets in id order; rows that only point at them need not wait."""
    return ask(LOCKED_WALLETS, [list(wallet_ids)], args_row(WalletState))


def read_holds(
    ask: Ask, wallet_ids: Sequence[UUID], asked: Collection[Named]
) -> Cursor[tuple[datetime, HoldState | None]]:
    """Ask for the clock, the holds that are due by it, and those with these references."""
    parameters = [clock.moved(), list(wallet_ids), *_columns(asked)]
    return ask(DUE_AND_NAMED_HOLDS, parameters, args_row(_clock_and_hold))


def read_entries(ask: Ask, asked: Collection[Named]) -> Cursor[Entry]:
    """Ask for the transactions with these references, and those that gave them back."""
    return ask(NAMED_ENTRIES_AND_WHAT_REVERSED_THEM, _columns(asked), args_row(Entry))


def read_lots(
    ask: Ask, wallet_ids: Sequence[UUID], asked: Collection[Named], lot_ids: Collection[UUID]
) -> Cursor[LotState]:
    """
    Ask for the lots with credits, those that these references moved, and these lots.

    With these come their heirs, and the lots to which they return.
    """
    wallets, lots = list(wallet_ids), list(lot_ids)
    parameters = [wallets, *[lots, wallets] * 3, *_columns(asked)]
    return ask(LOTS_WITH_CREDITS_OR_NAMED, parameters, args_row(LotState))


def update_wallets(ask: Ask, wallets: Iterable[WalletState]) -> None:
    """Write balances, status, and sequence and head of the chain."""
    changed = (
        (
            w.id,
            *(Int8(number) for number in (w.balance, w.held, w.credit_line, w.sequence)),
            w.head_hash,
            w.head_at,
            w.frozen_at,
            w.closed_at,
            Int8(w.owed_back),
        )
        for w in wallets
    )
    ask(CHANGED_WALLETS, _columns(changed))


def insert_lots(ask: Ask, lots: Iterable[LotState]) -> None:
    """Write new lots, with what is left of them already."""
    ask(NEW_LOTS, [_as_json(lots, LOT_TYPES)])


def update_lots(ask: Ask, lots: Iterable[LotState]) -> None:
    """Write what remains."""
    ask(CHANGED_LOTS, _columns((lot.id, Int8(lot.remaining)) for lot in lots))


def freeze_lots(ask: Ask, lots: Iterable[tuple[UUID, datetime | None]]) -> None:
    """Write since when lots are frozen, or that they no longer are."""
    ask(FROZEN_LOTS, _columns(lots))


def insert_holds(ask: Ask, holds: Iterable[HoldState]) -> None:
    """Write new holds."""
    ask(NEW_HOLDS, [_as_json(holds, HOLD_TYPES)])


def update_holds(ask: Ask, holds: Iterable[HoldState]) -> None:
    """Write how far holds have come, and until when they live."""
    ask(
        CHANGED_HOLDS,
        _columns((hold.id, hold.status, Int8(hold.captured), hold.expires_at) for hold in holds),
    )


def insert_entries(ask: Ask, entries: Iterable[Entry], actor: str, request_id: str) -> None:
    """Append transactions; the database re-verifies the chains that they continue."""
    ask(NEW_ENTRIES, [actor, request_id, _as_json(entries, ENTRY_TYPES)])


def _clock_and_hold(now: datetime, *hold: object) -> tuple[datetime, HoldState | None]:
    return now, None if hold[0] is None else HoldState(*hold)  # type: ignore[arg-type]


def _columns(rows: Iterable[Sequence[object]]) -> list[object]:
    return [list(column) for column in zip(*rows, strict=True)]


def _as_json(rows: Iterable[object], names: Collection[str]) -> str:
    picked = [{name: getattr(row, name) for name in names} for row in rows]
    return json.dumps(picked, default=_as_postgres_reads_it)


def _as_postgres_reads_it(value: object) -> str:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
