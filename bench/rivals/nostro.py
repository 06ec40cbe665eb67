"""
hf-nostro 0.2.0: an append-only credit ledger whose rules are functions in PostgreSQL.

Given: its own migrations at scale 0 (whole credits), accounts with one lot each, a pool
of one connection in each process, and account ids, so that no charge looks one up.
A charge: `Ledger.debit(account, amount, category=…, idempotency_key=…)`: three SET LOCAL
for its timeouts, one call of a function that locks, draws on lots and writes, a commit.
It has idempotency, lots with expiry, append-only rows and a check of the balance by
trigger. It does not do: prices, refusal of a charge above the balance (it becomes
debt), priorities among lots, a chain of hashes.
"""

from uuid import uuid4

from bench.host import Pick

FUNDS = 10**12


class Contestant:
    """Debits."""

    def __init__(self, url: str) -> None:
        self.url = url

    def prepare(self, accounts: int) -> None:
        """Migrate, and make funded accounts."""
        from nostro.migrate import migrate

        migrate(dsn=self.url, scale=0)
        ledger = self._ledger()
        self.accounts = []
        for number in range(accounts):
            account = ledger.accounts.create("bench", f"account-{number}")
            ledger.credit(
                account, ledger.amount(FUNDS), category="topup", idempotency_key=f"fund-{number}"
            )
            self.accounts.append(account.id)
        self.pool.close()

    def _ledger(self) -> object:
        from nostro import Ledger
        from psycopg_pool import ConnectionPool

        self.pool = ConnectionPool(self.url, min_size=1, max_size=1, open=True)
        return Ledger(pool=self.pool, scale=0)

    def open(self) -> None:
        """Connect."""
        self.ledger = self._ledger()
        self.one = self.ledger.amount(1)
        self.ledger.balance(self.accounts[0])  # its one check of the schema comes first

    def charge(self, pick: Pick) -> int:
        """Debit one credit."""
        self.ledger.debit(
            self.accounts[pick()], self.one, category="bench", idempotency_key=str(uuid4())
        )
        return 1

    def spent(self) -> int:
        """Add up the debits."""
        import psycopg

        with psycopg.connect(self.url) as connection:
            (total,) = connection.execute(
                "SELECT coalesce(-sum(amount), 0)::bigint FROM nostro.entry WHERE amount < 0"
            ).fetchone()
        return total

    def close(self) -> None:
        """Leave the database to whoever made it."""
