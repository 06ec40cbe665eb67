"""
The queue of jobs, with BENCH_WAITING areas in it, of as many organizations as there are accounts.

A claim is taken back by its transaction, so that as many wait for the next one.
"""

import os
from contextlib import ExitStack

from bench import coffer
from bench.host import Pick


class Contestant:
    """Claims areas."""

    def __init__(self, url: str) -> None:
        coffer.use(url)
        self.resources = ExitStack()

    def prepare(self, accounts: int) -> None:
        """Let the same number wait in each organization, submitted by the services, for free."""
        from django.db import connection

        from apps.jobs.models.jobs import MOST_AREAS
        from tests.database import migrated_database
        from tests.jobs.work import make_areas, set_price
        from tests.people import make_member, make_organization

        self.resources.enter_context(migrated_database())
        set_price(0)
        each = int(os.environ["BENCH_WAITING"]) // accounts
        for _ in range(accounts):
            organization = make_organization()
            member = make_member(organization, "developer")
            for first in range(0, each, MOST_AREAS):
                make_areas(organization, member, plain=[False] * min(MOST_AREAS, each - first))
        connection.close()  # no process may inherit it

    def open(self) -> None:
        """Import what the work calls, and connect."""
        from django.db import connection, transaction

        from apps.jobs.services.claiming import claim_area
        from tests.jobs.work import OPERATION

        self.transaction, self.claim_area, self.operation = transaction, claim_area, OPERATION
        connection.ensure_connection()

    def claim(self, pick: Pick) -> int:
        """Take what is next, and let it wait again."""
        with self.transaction.atomic():
            area = self.claim_area(operations=[self.operation], worker="bench")
            self.transaction.set_rollback(True)
        return int(area is not None)

    def spent(self) -> int:
        """Return nothing: no claim stays."""
        return 0

    def close(self) -> None:
        """Drop the database."""
        self.resources.close()
