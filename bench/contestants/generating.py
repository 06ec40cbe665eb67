"""
A project of BENCH_ALLOCATIONS blocks, all allocated, in equal parts of as many organizations.

Each reading is of thirty more days. It is recorded, divided and posted by the services, or only
recorded and divided; a share counts as one. Printed once: by how much the process that does it
grows, at its peak.
"""

import os
import resource
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta

from bench import coffer
from bench.host import Pick

ENERGY = 10**9 + 7  # Wh; prime, so that there is always something left over
FIRST = date(2026, 1, 1)
MONTH = timedelta(days=30)


class Contestant:
    """Shares generation."""

    def __init__(self, url: str) -> None:
        coffer.use(url)
        self.resources = ExitStack()
        self.months = 0

    def prepare(self, accounts: int) -> None:
        """Allocate every block, by the services."""
        from django.conf import settings
        from django.db import connection

        from apps.core import clock
        from tests.capacity.plants import allocate, make_blocks, make_project
        from tests.database import migrated_database
        from tests.people import make_organization

        self.resources.enter_context(migrated_database())
        settings.MOVABLE_CLOCK = True
        self.allocations = int(os.environ["BENCH_ALLOCATIONS"])
        each = self.allocations // accounts
        with clock.moved_to(datetime(FIRST.year, 1, 1, tzinfo=UTC)):
            self.project = make_project(capacity_kw=self.allocations + 1)
            for number in range(accounts):
                make_blocks(self.project, f"B{number}-", each, kw=1)
                allocate(make_organization(), self.project, each)
        connection.close()  # no process may inherit it

    def open(self) -> None:
        """Import what the work calls, and connect."""
        from django.db import connection, transaction

        from apps.capacity.services import readings, sharing
        from apps.core import clock

        self.moved_to = clock.moved_to
        self.atomic, self.readings, self.sharing = transaction.atomic, readings, sharing
        connection.ensure_connection()
        self.peak = memory()

    def share(self, pick: Pick) -> int:
        """Record one more month, and have it divided and posted."""
        self._record()
        if not self.sharing.share_due():  # it says why in the log, and goes on to the next
            raise RuntimeError("The reading was not shared.")
        if self.months == 1:
            grown = memory() - self.peak
            print(f"generation_memory shares={self.allocations} grew_mib={grown:.0f}", flush=True)
        return self.allocations

    def divide(self, pick: Pick) -> int:
        """Record one more month, and have it divided."""
        reading = self._record()
        with self.atomic():
            self.sharing.divide(reading)
        return self.allocations

    def _record(self):
        starts_on = FIRST + self.months * MONTH
        self.months += 1
        after = datetime.combine(starts_on + 2 * MONTH, time(), UTC)  # a reading must be over
        with self.moved_to(after):
            return self.readings.record(
                project=self.project,
                starts_on=starts_on,
                ends_on=starts_on + MONTH - timedelta(days=1),
                energy_wh=ENERGY,
                source="staff",
            )

    def spent(self) -> int:
        """Return how many shares there are."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM capacity_generationshare")
            (count,) = cursor.fetchone()
        connection.close()
        return count

    def close(self) -> None:
        """Drop the database."""
        self.resources.close()


def memory() -> float:
    """Return the most that this process has had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
