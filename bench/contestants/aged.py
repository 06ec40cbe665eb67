"""
Coffer with a past: so many transactions, made in SQL with the hashes that they would have.

Given: wallets with one large lot each, and cycles of 100 transactions on top: a lot of 99
credits bought, then 99 charges of one credit that use it up. So entries and ended lots
grow together. The rows are copies of rows that the services wrote, with other numbers.
Triggers are off only while they are loaded; every invariant is verified afterwards.
"""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bench.contestants import ours
from bench.host import Pick

CYCLE = 100
YEAR = timedelta(days=365)
PAGE = 50  # operations on a page of the statement
TABLES = ("credits_wallet", "credits_lot", "credits_credittransaction")
VERIFIED_UP_TO = 2_000_000  # above that the invariants take many minutes

CHAIN = """
CREATE FUNCTION bench_link(
    state bytea, head bytea, wallet_id uuid, sequence bigint, lot_id uuid, type text,
    amount bigint, balance_after bigint, reverses_id uuid, created_at timestamptz, reference text
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT credits_entry_hash(coalesce(state, head), wallet_id, sequence, lot_id, type, amount,
                              balance_after, reverses_id, created_at, reference)
$$;
CREATE AGGREGATE bench_chain(
    bytea, uuid, bigint, uuid, text, bigint, bigint, uuid, timestamptz, text
) (SFUNC = bench_link, STYPE = bytea);
"""
# One row for each transaction to come; {step} counts within a cycle.
PLANNED = """
CREATE TEMP TABLE planned AS
SELECT wallet.id AS wallet_id, wallet.organization_id, wallet.sequence + number AS sequence,
       wallet.head_hash, wallet.balance, lot.id AS lot_id, lot.step,
       'bench:' || wallet.sequence + number AS reference,
       wallet.head_at + %(year)s::interval * number / %(each)s
       + interval '1 millisecond' * wallet.place AS created_at,
       CASE lot.step WHEN 0 THEN 'purchased' ELSE 'consumed' END AS type,
       CASE lot.step WHEN 0 THEN %(cycle)s - 1 ELSE -1 END AS amount,
       %(cycle)s - 1 - lot.step AS lot_balance_after
  FROM (SELECT *, row_number() OVER () AS place FROM credits_wallet WHERE kind = 'member') wallet,
       generate_series(1, %(each)s) AS number,
       LATERAL (SELECT md5(wallet.id || ' ' || (number - 1) / %(cycle)s)::uuid AS id,
                       (number - 1) %% %(cycle)s AS step) lot
"""
LOTS = {
    "id": "planned.lot_id",
    "wallet_id": "planned.wallet_id",
    "organization_id": "planned.organization_id",
    "granted": "planned.amount",
    "remaining": "0",
    "effective_at": "planned.created_at",
    "created_at": "planned.created_at",
    "updated_at": "planned.created_at",
    "origin": "planned.reference",
}
ENTRIES = {
    "id": "uuidv7(planned.created_at - clock_timestamp())",
    "wallet_id": "planned.wallet_id",
    "organization_id": "planned.organization_id",
    "lot_id": "planned.lot_id",
    "sequence": "planned.sequence",
    "transaction_type": "planned.type",
    "amount": "planned.amount",
    "balance_after": "planned.balance + planned.lot_balance_after",
    "lot_balance_after": "planned.lot_balance_after",
    "reference": "planned.reference",
    "credit_event_id": "CASE planned.step WHEN 0 THEN NULL ELSE template.credit_event_id END",
    "created_at": "planned.created_at",
    "entry_hash": """bench_chain(
        planned.head_hash, planned.wallet_id, planned.sequence, planned.lot_id, planned.type,
        planned.amount, planned.balance + planned.lot_balance_after, NULL::uuid,
        planned.created_at, planned.reference
    ) OVER (PARTITION BY planned.wallet_id ORDER BY planned.sequence)""",
}
HEADS = """
UPDATE credits_wallet AS wallet
   SET sequence = last.sequence, head_hash = last.entry_hash, head_at = last.created_at
  FROM (SELECT DISTINCT ON (wallet_id) * FROM credits_credittransaction
         ORDER BY wallet_id, sequence DESC) last
 WHERE wallet.id = last.wallet_id
"""


class Contestant(ours.Contestant):
    """Reads and charges wallets with a past."""

    def prepare(self, accounts: int) -> None:
        """Make the wallets by the services, a while ago, and their past in SQL."""
        from django.core.management import call_command
        from django.db import connection

        from apps.core import clock

        entries = int(os.environ["BENCH_ENTRIES"])
        self.each = entries // accounts // CYCLE * CYCLE
        with clock.moved_to(datetime.now(UTC) - YEAR - timedelta(days=1)):
            super().prepare(accounts)
            super().open()
            for number in range(accounts):  # every wallet has a charge, the template of the rest
                super().charge(lambda number=number: number)
        self._load()
        if entries <= VERIFIED_UP_TO:
            call_command("verify", stdout=sys.stderr)  # refuses if a row breaks a rule
        connection.close()

    def _load(self) -> None:
        from django.db import connection, transaction

        with connection.cursor() as cursor:
            cursor.execute(CHAIN)
            with transaction.atomic():
                cursor.execute("SET LOCAL work_mem = '256MB'")
                guards = switch_off(cursor)
                numbers = {"year": YEAR, "each": self.each, "cycle": CYCLE}
                cursor.execute(PLANNED, numbers)
                first = "planned WHERE planned.step = 0"
                cursor.execute(copies(cursor, "credits_lot", LOTS, first, "kind = 'purchase'"))
                ordered = "planned ORDER BY planned.created_at"
                consumed = "transaction_type = 'consumed'"
                cursor.execute(copies(cursor, TABLES[2], ENTRIES, ordered, consumed))
                cursor.execute(HEADS)
                cursor.execute("DROP TABLE planned")
                switch_on(cursor, guards)
            cursor.execute("VACUUM (ANALYZE)")

    def open(self) -> None:
        """Import what the work calls, and connect."""
        super().open()
        from apps.credits import selectors

        self.selectors = selectors

    def balance(self, pick: Pick) -> int:
        """Read what a wallet holds."""
        self.selectors.balance_of(self.wallets[pick()])
        return 1

    def statement(self, pick: Pick) -> int:
        """Read the newest page of a statement."""
        found = self.selectors.recent_operations(self.wallets[pick()], limit=PAGE)
        return 1 if len(found) == PAGE else 0

    def old_statement(self, pick: Pick) -> int:
        """Read a page from the middle of a statement, as keyset pages do."""
        wallet = self.wallets[pick()]
        heads = self.selectors.heads_of_operations(wallet).filter(sequence__lt=self.each * 0.6)
        found = self.selectors.operations(heads.order_by("-sequence")[:PAGE])
        return 1 if len(found) == PAGE else 0


def copies(cursor: object, table: str, given: Mapping[str, str], rows: str, like: str) -> str:
    """Return SQL that inserts a row for each of `rows`; what is not given comes from a template."""
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        [table],
    )
    columns = [name for (name,) in cursor.fetchall()]
    values = ", ".join(given.get(name, f"template.{name}") for name in columns)
    source, _, rest = rows.partition(" ")
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {source}"
        f" CROSS JOIN (SELECT * FROM {table} WHERE {like} LIMIT 1) AS template {rest}"
    )


def switch_off(cursor: object) -> list[tuple[str, str, str]]:
    """Silence the tables' triggers and return those of ours."""
    cursor.execute(
        "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgrelid = ANY(%s::regclass[])",
        [list(TABLES)],
    )
    guards = cursor.fetchall()
    for table in TABLES:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    return guards


def switch_on(cursor: object, guards: list[tuple[str, str, str]]) -> None:
    """Let all triggers work again, each as it did."""
    for table in TABLES:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    for table, name, enabled in guards:
        always = "ALWAYS" if enabled == "A" else ""
        cursor.execute(f'ALTER TABLE {table} ENABLE {always} TRIGGER "{name}"')
