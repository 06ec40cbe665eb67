"""
Coffer: `apps.credits.services.charges.charge_event`, as the API and jobs call it.

Given: its migrated database, wallets with one purchased lot each, one price.
A charge looks the price up, locks the wallet, looks for a repeat, draws on the lots in
burn order, chains its rows by hash, and the database re-verifies them before commit.
A batch is 500 commands in one `post`.
"""

from contextlib import ExitStack
from datetime import UTC, datetime

from bench import coffer
from bench.host import Pick

BATCH = 500
FUNDS = 10**12  # credits in each wallet
EVENT = "bench.charge"


class Contestant:
    """Charges through the services."""

    def __init__(self, url: str) -> None:
        coffer.use(url)
        self.resources = ExitStack()

    def prepare(self, accounts: int) -> None:
        """Make the wallets and the price, by the services that make the real ones."""
        from django.db import connection

        from apps.credits.models import CreditEvent, Wallet
        from tests.credits.wallets import make_wallets
        from tests.database import migrated_database

        self.resources.enter_context(migrated_database())
        CreditEvent.objects.create(
            name=EVENT,
            category="bench",
            credit_cost=1,
            effective_at=datetime(2020, 1, 1, tzinfo=UTC),
        )
        self.wallets = [Wallet(id=one) for one in make_wallets(accounts, credits=FUNDS)]
        connection.close()  # no process may inherit it

    def open(self) -> None:
        """Import what the work calls, and connect."""
        from django.db import connection, transaction

        from apps.core import ids
        from apps.credits.ledger.commands import Charge
        from apps.credits.ledger.posting import post
        from apps.credits.services.charges import charge_event

        self.atomic, self.new_id = transaction.atomic, ids.new_id
        self.command, self.post, self.charge_event = Charge, post, charge_event
        connection.ensure_connection()

    def charge(self, pick: Pick) -> int:
        """Charge one unit of the event."""
        self.charge_event(
            wallet=self.wallets[pick()],
            event=EVENT,
            reference=f"bench:{self.new_id()}",
            source="bench",
        )
        return 1

    def charge_batch(self, pick: Pick) -> int:
        """Charge 500 times in one transaction."""
        with self.atomic():
            outcomes = self.post([self._command(pick) for _ in range(BATCH)])
        return sum(1 for outcome in outcomes if not isinstance(outcome, Exception))

    def _command(self, pick: Pick) -> object:
        return self.command(
            wallet_id=self.wallets[pick()].id,
            reference=f"bench:{self.new_id()}",
            source="bench",
            amount=1,
        )

    def spent(self) -> int:
        """Add up the charges in the ledger."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(-sum(amount), 0)::bigint FROM credits_credittransaction"
                " WHERE transaction_type = 'consumed'"
            )
            (total,) = cursor.fetchone()
        connection.close()
        return total

    def close(self) -> None:
        """Drop the database."""
        self.resources.close()
