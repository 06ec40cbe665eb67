"""
Blocks of one large project: chosen and reserved by Coffer, and by bare SQL beside it.

Given: a project and its rate by the services, so many free blocks of 1 kW by SQL, and, with
BENCH_FORMER, as many former allocations, each of a block that is free again.
What is reserved is rolled back, so that each time the same blocks are there.
"""

import os
from contextlib import ExitStack
from decimal import Decimal

from bench import coffer
from bench.host import Pick

TAKEN = 1000  # blocks
BLOCKS = """
    INSERT INTO capacity_capacityblock (
           id, created_at, project_id, serial, capacity_kw, position, state)
    SELECT uuidv7(), now(), %(project)s, 'B-' || number, 1, number, 'free'
      FROM generate_series(1, %(blocks)s) AS number
"""
COUNTED = "UPDATE capacity_project SET blocks_kw = %(blocks)s WHERE id = %(project)s"
FORMER = """
    INSERT INTO capacity_allocation (
           id, created_at, organization_id, block_id, capacity_kw, effective_from,
           effective_to, ending, released_at, former_id)
    SELECT uuidv7(), now(), %(organization)s, block.id, 1, date '2026-01-01',
           date '2026-02-01', 'cancelled', timestamptz '2026-02-01', ''
      FROM (SELECT id, row_number() OVER (ORDER BY position) AS place
              FROM capacity_capacityblock) block,
           generate_series(1, %(former)s / %(blocks)s)
"""
OLDEST = """
    SELECT id, position, capacity_kw FROM capacity_capacityblock
     WHERE project_id = %s AND state = 'free' ORDER BY position, id LIMIT %s
"""
HELD = """
    UPDATE capacity_capacityblock
       SET state = 'held', held_for = gen_random_uuid(), held_until = now() + interval '1 hour'
     WHERE id = ANY(%s) AND state = 'free'
"""
LOCKED = "SELECT id FROM capacity_project WHERE id = %s FOR NO KEY UPDATE"


class Contestant:
    """Takes the oldest thousand of many blocks, by the services or without them."""

    def __init__(self, url: str) -> None:
        coffer.use(url)
        self.resources = ExitStack()

    def prepare(self, accounts: int) -> None:
        """Make the project, `accounts` blocks, and their former allocations."""
        from django.db import connection

        from tests.capacity.plants import make_project
        from tests.database import migrated_database
        from tests.people import make_organization

        self.resources.enter_context(migrated_database())
        self.organization = make_organization()
        self.project = make_project(capacity_kw=Decimal(accounts))
        what = {
            "project": self.project.pk,
            "organization": self.organization.pk,
            "blocks": accounts,
            "former": int(os.environ["BENCH_FORMER"]),
        }
        with connection.cursor() as cursor:
            for statement in (BLOCKS, COUNTED, FORMER):
                cursor.execute(statement, what)
            cursor.execute("VACUUM (ANALYZE)")
        connection.close()  # no process may inherit it

    def open(self) -> None:
        """Import what the work calls, and connect."""
        from django.db import connection, transaction

        from apps.capacity.selectors.picking import Wish, choose
        from apps.capacity.services.reserving import reserve
        from apps.core.clock import workers_now

        self.connection, self.transaction = connection, transaction
        self.choose, self.reserve_blocks, self.now = choose, reserve, workers_now
        self.wish = Wish(kw=Decimal(TAKEN))
        connection.ensure_connection()

    def choose_oldest(self, pick: Pick) -> int:
        """Choose what a reservation would take."""
        choice = self.choose(self.project, self.wish, self.now())
        return int(len(choice.pieces) == TAKEN)

    def choose_oldest_bare(self, pick: Pick) -> int:
        """Read the same blocks by one statement."""
        with self.connection.cursor() as cursor:
            cursor.execute(OLDEST, [self.project.pk, TAKEN])
            return int(sum(size for _, _, size in cursor.fetchall()) == TAKEN)

    def reserve(self, pick: Pick) -> int:
        """Reserve them, and take that back."""
        with self.transaction.atomic():
            self.reserve_blocks(
                organization=self.organization, project=self.project, wish=self.wish
            )
            self.transaction.set_rollback(True)
        return 1

    def reserve_bare(self, pick: Pick) -> int:
        """Lock the project, choose, mark and count by four statements, and take that back."""
        with self.transaction.atomic(), self.connection.cursor() as cursor:
            cursor.execute(LOCKED, [self.project.pk])
            cursor.execute(OLDEST, [self.project.pk, TAKEN])
            cursor.execute(HELD, [[block for block, _, _ in cursor.fetchall()]])
            assert cursor.rowcount == TAKEN
            cursor.execute(
                "UPDATE capacity_project SET held_kw = held_kw + %s WHERE id = %s",
                [TAKEN, self.project.pk],
            )
            self.transaction.set_rollback(True)
        return 1

    def spent(self) -> int:
        """Return nothing: no reservation stays."""
        return 0

    def close(self) -> None:
        """Drop the database."""
        self.resources.close()
