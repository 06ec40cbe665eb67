"""
bursar 2.0.4: credits for many tenants, all of it functions in PostgreSQL with row security.

Given: stand-ins for three extensions (`bursar_extensions.sql`), one word changed in its
migrations (PostgreSQL 18 lists NOT NULL among the constraints, which its check of a
fresh schema refuses), a tenant, a catalog with one bucket, users funded once. It
connects as a superuser and takes the role `bursar_client` in each transaction, as it does.
A charge: `credits.deduct_credits(user, 1, idempotency_key=…)`, the call that its README
charges a job with: two statements that set tenant, role and timeouts, one function.
It has idempotency, tenants kept apart by row security, lots with expiry and buckets by
priority, and a balance after each row. The other way, `deduct` with a rate card, prices
an operation too and writes more rows; the cheaper one is measured. It does not do: a
chain of hashes, or a check of each row by the database.
"""

from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from bench.host import Pick

FUNDS = 10**9
CATALOG = {
    "version": 1,
    "credits": {
        "buckets": {"purchased": {"priority": 10}},
        "default_bucket": "purchased",
    },
}
EXTENSIONS = Path(__file__).with_name("bursar_extensions.sql")


class Migration:
    """One of its migrations, told that PostgreSQL 18 lists NOT NULL among the constraints."""

    def __init__(self, file: Path) -> None:
        self.name = file.name
        self.text = file.read_text(encoding="utf-8").replace(
            "WHERE constraint_info.connamespace = 'bursar'::regnamespace",
            "WHERE constraint_info.contype <> 'n'"
            " AND constraint_info.connamespace = 'bursar'::regnamespace",
        )

    def read_text(self, encoding: str) -> str:
        """Return its SQL."""
        return self.text


class Contestant:
    """Deducts."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgres://", "postgresql://", 1)

    def prepare(self, accounts: int) -> None:
        """Migrate, and make a tenant with funded users."""
        import psycopg2
        from bursar.credits.postgres import store

        with psycopg2.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute(EXTENSIONS.read_text())
        connection.close()
        files = [Migration(file) for file in store._get_sql_files()]
        store._get_sql_files = lambda: files
        store.run_migrations(self.url)
        with psycopg2.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT bursar.create_tenant(NULL::uuid, 'bench', 'Bench')")
            (self.tenant,) = cursor.fetchone()
        connection.close()
        self.open()
        self.bursar.catalog.publish_and_activate(CATALOG)
        self.users = [str(uuid4()) for _ in range(accounts)]
        for number, user in enumerate(self.users):
            self.bursar.credits.add_credits(
                user, Decimal(FUNDS), entry_type="purchase", idempotency_key=f"fund:{number}"
            )
        self.store.close()  # no process may inherit its connection

    def open(self) -> None:
        """Connect."""
        from bursar import Bursar, PostgresStore

        self.store = PostgresStore(self.url, tenant_id=self.tenant, provider_environment="test")
        self.bursar = Bursar(credit_store=self.store)

    def charge(self, pick: Pick) -> int:
        """Deduct one credit."""
        self.bursar.credits.deduct_credits(
            self.users[pick()], Decimal(1), idempotency_key=str(uuid4())
        )
        return 1

    def spent(self) -> int:
        """Add up what was deducted."""
        import psycopg2

        with psycopg2.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(-sum(amount), 0)::bigint FROM bursar.credit_ledger_entries"
                " WHERE amount < 0"
            )
            (total,) = cursor.fetchone()
        connection.close()
        return total

    def close(self) -> None:
        """Leave the database to whoever made it."""
