"""
COPY, the limit: the ledger's own rows into a table of the same shape and indexes.

Given: Coffer's database, rows that batches of 500 have written there, and a table made
LIKE the transactions' INCLUDING ALL: the same columns, checks and indexes, but no
foreign keys and no triggers. 500 rows a COPY, each in a transaction of its own; when
the rows are used up the table is emptied and they are copied again.
"""

from itertools import batched

from bench.contestants import ours
from bench.host import Pick

BATCHES = 60


class Contestant(ours.Contestant):
    """Copies."""

    def prepare(self, accounts: int) -> None:
        """Write the rows once, and keep them as COPY writes them."""
        super().prepare(accounts)
        super().open()
        from django.db import connection

        for number in range(BATCHES):
            super().charge_batch(lambda number=number: number % accounts)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE copied (LIKE credits_credittransaction INCLUDING ALL)")
            with cursor.copy(
                "COPY (SELECT * FROM credits_credittransaction WHERE amount < 0"
                " ORDER BY created_at, id) TO STDOUT"
            ) as copy:
                lines = b"".join(copy).splitlines(keepends=True)
        self.batches = [(len(part), b"".join(part)) for part in batched(lines, ours.BATCH)]
        connection.close()

    def open(self) -> None:
        """Connect."""
        from django.db import connection

        connection.ensure_connection()
        self.cursor = connection.cursor()
        self.next = 0

    def charge_batch(self, pick: Pick) -> int:
        """Copy the next 500 rows."""
        if self.next == len(self.batches):
            self.cursor.execute("TRUNCATE copied")
            self.next = 0
        count, data = self.batches[self.next]
        self.next += 1
        with self.cursor.copy("COPY copied FROM STDIN") as copy:
            copy.write(data)
        return count
