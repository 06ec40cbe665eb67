"""
The function of document 002, the SQL that Coffer's jobs were born from.

Given: `document_002.sql` beside this file, accounts in its table `users`. A charge is one
call in a transaction of its own. It has no lots, no expiry, no chain; it looks at the
idempotency key only after the debit, and a repeat fails instead of being answered.
Called by pgbench with prepared statements if the PostgreSQL has pgbench, or else by
the same processes as everybody.
"""

from pathlib import Path
from uuid import uuid4

import psycopg

from bench.host import Pick

SQL = Path(__file__).with_name("document_002.sql")
FUNDS = 2 * 10**9  # credits in each account; its column is an integer
# Account number n, so that pgbench can pick one.
ACCOUNT = "md5('account ' || {})::uuid"
CALL = "SELECT document_002.atomic_charge_credits({}, 'render', 1, {})"


class Contestant:
    """Calls the function."""

    def __init__(self, url: str) -> None:
        self.url = url

    def prepare(self, accounts: int) -> None:
        """Make the tables, the function and the accounts."""
        with psycopg.connect(self.url) as connection:
            connection.execute(SQL.read_text())
            connection.execute(
                f"INSERT INTO document_002.users SELECT {ACCOUNT.format('n')}, %s"
                " FROM generate_series(0, %s) AS n",
                [FUNDS, accounts - 1],
            )

    def open(self) -> None:
        """Connect."""
        self.connection = psycopg.connect(self.url, autocommit=True, prepare_threshold=1)

    def charge(self, pick: Pick) -> int:
        """Call it once."""
        statement = CALL.format(ACCOUNT.format("%s"), "%s")
        self.connection.execute(statement, [str(pick()), str(uuid4())])
        return 1

    def spent(self) -> int:
        """Add up what left the accounts."""
        with psycopg.connect(self.url) as connection:
            (total,) = connection.execute(
                "SELECT coalesce(-sum(delta), 0)::bigint FROM document_002.credit_ledger"
            ).fetchone()
        return total

    def close(self) -> None:
        """Leave the database to whoever made it."""
