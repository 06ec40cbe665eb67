"""
The rows of `generating`, inserted by one statement that works nothing out.

Into the same table, with its keys, checks and indexes; every share is the same.
"""

from bench.contestants import generating
from bench.host import Pick

INSERT = """
    INSERT INTO capacity_generationshare
           (id, organization_id, reading_id, allocation_id, percent, energy_wh, earned, credits,
            reference)
    SELECT gen_random_uuid(), organization_id, %s, id, 0.002, 20000, 10, 10, ''
      FROM capacity_allocation
"""


class Contestant(generating.Contestant):
    """Inserts shares."""

    def open(self) -> None:
        """Take the connection, too."""
        from django.db import connection

        super().open()
        self.connection = connection

    def insert(self, pick: Pick) -> int:
        """Record one more month, and insert a share for each allocation."""
        reading = self._record()
        with self.connection.cursor() as cursor:
            cursor.execute(INSERT, [reading.pk])
        return self.allocations
