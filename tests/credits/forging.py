"""
Rows as a forger with the rights of the tables' owner would leave them.

Triggers are switched off for one forgery and back on after it: what is left is what only
`manage.py verify` can find.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from apps.credits.ledger.chain import entry_hash
from apps.credits.models import NO_HASH, CreditTransaction, Wallet

TABLES = ("credits_credittransaction", "credits_wallet", "credits_lot")


@contextmanager
def silenced(*tables: str) -> Iterator[None]:
    """Silence the triggers of these tables (else of the ledger's) for the length of a block."""
    named = tables or TABLES
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
            " WHERE tgenabled = 'A' AND tgrelid = ANY(%s::regclass[])",
            [list(named)],
        )
        triggers = cursor.fetchall()
        for table, name in triggers:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        for table, name in triggers:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def forge(sql: str, *values: object) -> None:
    """Write what the triggers would refuse."""
    with silenced(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def change(entry: CreditTransaction, **columns: object) -> None:
    """Change columns of one transaction."""
    assignments = ", ".join(f"{name} = %s" for name in columns)
    forge(
        f"UPDATE credits_credittransaction SET {assignments} WHERE id = %s",
        *columns.values(),
        entry.id,
    )


def seal_anew(wallet: Wallet, *, from_sequence: int, with_head: bool) -> None:
    """Recompute balances and hashes from a row on, as a careful forger does."""
    entries = CreditTransaction.objects.filter(wallet=wallet).order_by("sequence")
    before = entries.filter(sequence__lt=from_sequence).last()
    seal = bytes(before.entry_hash) if before else NO_HASH
    balance = before.balance_after if before else 0
    for entry in entries.filter(sequence__gte=from_sequence):
        balance += entry.amount
        seal = entry_hash(
            seal,
            wallet_id=wallet.id,
            sequence=entry.sequence,
            lot_id=entry.lot_id,
            transaction_type=entry.transaction_type,
            amount=entry.amount,
            balance_after=balance,
            reverses_id=entry.reverses_id,
            created_at=entry.created_at,
            reference=entry.reference,
        )
        change(entry, balance_after=balance, entry_hash=seal)
    if with_head:
        forge(
            "UPDATE credits_wallet SET balance = %s, head_hash = %s WHERE id = %s",
            balance,
            seal,
            wallet.id,
        )
