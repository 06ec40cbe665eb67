"""
A bare view of Django REST Framework that inserts one row, served and asked in the same way.

It has Coffer's middleware and authentication by key, and no permission, idempotency or money.
"""

from bench.contestants import submitting


class Contestant(submitting.Contestant):
    """Inserts rows."""

    APPLICATION = "bench.contestants.bare:application"
    PATH = "/bare"
    ROWS = "bench_bare"

    def prepare(self, accounts: int) -> None:
        """Make the table, too."""
        from django.db import connection

        super().prepare(accounts)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_bare (id uuid PRIMARY KEY, payload jsonb NOT NULL)")
        connection.close()
