"""
What `uploading` writes, written by one bare INSERT … SELECT for each table, in one transaction.

Given: the database after one such upload, and a table beside each one that grew by it: the same
columns, defaults, checks, indexes and foreign keys, and no triggers. Each turn writes all rows
of these tables; nothing is read, looked at or worked out. Emptying them again is not timed.
"""

import time

from bench.contestants import uploading
from bench.host import Pick

TABLES = """
    SELECT relname FROM pg_class
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = %s::regclass AND attnum > 0 AND attgenerated = '' AND NOT attisdropped
"""
FOREIGN_KEYS = """
    SELECT 'ALTER TABLE ' || quote_ident('bare_' || relname) || ' ADD CONSTRAINT '
           || quote_ident(conname) || ' ' || pg_get_constraintdef(pg_constraint.oid)
      FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
     WHERE contype = 'f' AND relname = %s
"""


class Contestant(uploading.Contestant):
    """Inserts."""

    def prepare(self, accounts: int) -> None:
        """Carry one upload out, and make a table beside each that it wrote to."""
        from django.db import connection

        super().prepare(accounts)
        super().open()
        with connection.cursor() as cursor:
            cursor.execute(TABLES)
            tables = [table for (table,) in cursor.fetchall()]
            before = {table: count(cursor, table) for table in tables}
            self.upload_rows(self.rows)
            grown = {table: count(cursor, table) - before[table] for table in tables}
            self.grown = {table: rows for table, rows in grown.items() if rows}
            self.inserts = [_prepare(cursor, table) for table in self.grown]
            cursor.execute("CREATE TABLE bare_done (rows int)")
        print("upload_bare", *(f"{table}={rows}" for table, rows in self.grown.items()), flush=True)
        connection.close()  # no process may inherit it

    def open(self) -> None:
        """Connect."""
        from django.db import connection, transaction

        self.connection, self.atomic = connection, transaction.atomic
        connection.ensure_connection()

    def upload(self, pick: Pick) -> int:
        """Insert what an upload became; return how many microseconds that took."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(f'bare_{table}' for table in self.grown)}")
            started = time.monotonic()
            with self.atomic():
                for insert, rows in zip(self.inserts, self.grown.values(), strict=True):
                    cursor.execute(insert)
                    assert cursor.rowcount >= rows
                cursor.execute("INSERT INTO bare_done VALUES (%s)", [self.rows])
            return round((time.monotonic() - started) * 1e6)

    def spent(self) -> int:
        """Return how many rows of files the inserted ones stand for."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(rows), 0) FROM bare_done")
            (done,) = cursor.fetchone()
        connection.close()
        return int(done)


def count(cursor, table: str) -> int:
    """Return how many rows a table has."""
    cursor.execute(f'SELECT count(*) FROM "{table}"')
    return cursor.fetchone()[0]


def _prepare(cursor, table: str) -> str:
    """Make the table beside this one, and return the statement that fills it."""
    cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
    cursor.execute(FOREIGN_KEYS, [table])
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)
    cursor.execute(COLUMNS, [table])
    (columns,) = cursor.fetchone()
    return (
        f"INSERT INTO bare_{table} ({columns}) OVERRIDING SYSTEM VALUE"
        f" SELECT {columns} FROM {table}"
    )
