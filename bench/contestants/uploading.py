"""
Files of BENCH_ROWS rows: read, looked at, confirmed and carried out as all or nothing.

Given: a programme whose pool has enough. Each row invites a new member, so that it becomes a
wallet, a member, an award, a lot, and two transactions in two chains. Printed once: by how much
the process grows at its peak, and how many statements 50 rows take and how many all do.
"""

import os
import time
from contextlib import ExitStack
from unittest import mock

import psycopg

from bench import coffer
from bench.contestants.generating import memory
from bench.host import Pick

FEW = 50  # rows
FUNDS = 10**12  # credits


class Contestant:
    """Uploads."""

    def __init__(self, url: str) -> None:
        coffer.use(url)
        self.resources = ExitStack()
        self.rows = int(os.environ["BENCH_ROWS"])

    def prepare(self, accounts: int) -> None:
        """Make the programme, by the services that make the real ones."""
        from django.db import connection

        from tests.database import migrated_database
        from tests.partners.programme import make_programme

        self.resources.enter_context(migrated_database())
        self.partner = make_programme(credits=FUNDS)
        connection.close()  # no process may inherit it

    def open(self) -> None:
        """Import what the work calls, and connect."""
        from django.db import connection

        from tests.partners import uploading

        self.uploading = uploading
        connection.ensure_connection()
        self.peak, self.is_first, self.is_counted = memory(), True, False

    def upload(self, pick: Pick) -> int:
        """Upload a file with all rows; return how many microseconds that took."""
        started = time.monotonic()
        self.upload_rows(self.rows)
        taken = time.monotonic() - started
        if self.is_first:
            self.is_first = False
            print(f"upload_memory rows={self.rows} grew_mib={memory() - self.peak:.0f}", flush=True)
        return round(taken * 1e6)

    def upload_rows(self, rows: int) -> None:
        """Upload a file with so many rows, and have it carried out."""
        from apps.core import ids

        name = ids.new_id().hex
        lines = [f"{name}.{number}@example.com,Ada {number},1" for number in range(rows)]
        done = self.uploading.carried(self.uploading.make_upload(self.partner, *lines))
        assert (done.status, done.done_rows) == ("done", rows), done.problem

    def count(self, pick: Pick) -> int:
        """Print how many statements few and all rows take."""
        if not self.is_counted:
            self.is_counted = True
            few, every = (self._statements(rows) for rows in (FEW, self.rows))
            print(f"upload_statements at_{FEW}={few} at_{self.rows}={every}", flush=True)
        return 0

    def _statements(self, rows: int) -> int:
        """Count below Django, since the ledger's do not go through its cursors."""
        execute = psycopg.Cursor.execute
        with mock.patch.object(psycopg.Cursor, "execute", autospec=True, side_effect=execute) as it:
            self.upload_rows(rows)
        return it.call_count

    def spent(self) -> int:
        """Return how many rows handed on, by the books."""
        from django.db import connection

        from apps.partners.models import PartnerCredit

        awards = PartnerCredit.objects.count()
        connection.close()  # no process may inherit it
        return awards

    def close(self) -> None:
        """Drop the database."""
        self.resources.close()
