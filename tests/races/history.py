"""How much of a wallet's history a command reads, by the database's count, triggers included."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.core.errors import DomainError
from apps.credits.ledger.commands import Charge, Command, Grant, PlaceHold, Refund, Release
from apps.credits.ledger.posting import post, post_one
from tests.credits.wallets import make_wallet
from tests.races.sql import run

BATCH = 500
TABLES = ("credits_wallet", "credits_lot", "credits_hold", "credits_credittransaction")
# Of this transaction so far, by whatever way.
ROWS_READ = """
    SELECT seq_tup_read + coalesce(idx_tup_fetch, 0)
      FROM pg_stat_xact_user_tables WHERE relname = 'credits_credittransaction'
"""


def make_history(length: int, *, is_analyzed: bool = True) -> UUID:
    """
    Return a wallet with so many transactions, and with as much that is over.

    Half of them are charges of one lot; the others are those of lots that are used up
    and of holds that were released. Without `is_analyzed` the tables have the statistics of
    empty ones, as they have in the first minutes of a new instance.
    """
    # What other tests wrote and took back still fills pages: a planner that is told of many pages
    # with next to no rows believes that any index is as good as another. Ledgers are not like that.
    run(f"VACUUM FULL ANALYZE {', '.join(TABLES)}")
    wallet_id = make_wallet(credits=length + 100).id
    commands: list[Command] = [charge(wallet_id, f"old:{n}") for n in range(length // 2)]
    for number in range(length // 8):
        commands += _small_lot_and_hold(wallet_id, number)
    for first in range(0, len(commands), BATCH):
        with transaction.atomic():
            refused = [
                one for one in post(commands[first : first + BATCH]) if isinstance(one, DomainError)
            ]
        assert not refused
        if is_analyzed:
            run("ANALYZE")  # as autovacuum does; it is off in the servers of tests
    return wallet_id


def _small_lot_and_hold(wallet_id: UUID, number: int) -> list[Command]:
    """Return a lot that is used up at once, because it burns first, and a hold that ends."""
    hold = {"wallet_id": wallet_id, "reference": f"hold:{number}", "source": "test"}
    lot = {"wallet_id": wallet_id, "reference": f"lot:{number}", "source": "test"}
    return [
        Grant(**lot, kind="trial", amount=1),
        charge(wallet_id, f"all:{number}"),
        PlaceHold(**hold, amount=1, ttl=timedelta(hours=1)),
        Release(**hold),
    ]


def charge(wallet_id: UUID, reference: str) -> Charge:
    """Return a charge of one credit."""
    return Charge(wallet_id=wallet_id, reference=reference, source="test", amount=1)


def charge_once(wallet_id: UUID) -> None:
    """Charge a wallet under a new cause."""
    post_one(charge(wallet_id, "new"))


def repeat_a_charge(wallet_id: UUID) -> None:
    """Charge a wallet under a cause that it knows."""
    assert post_one(charge(wallet_id, "old:3")).is_replayed


def hold_once(wallet_id: UUID) -> None:
    """Set credits of a wallet aside."""
    hold = {"wallet_id": wallet_id, "reference": "new", "source": "test"}
    post_one(PlaceHold(**hold, amount=1, ttl=timedelta(hours=1)))


def refund_once(wallet_id: UUID) -> None:
    """Give the wallet's first charge back."""
    post_one(Refund(wallet_id=wallet_id, reference="back", source="test", of="old:0"))


def rows_read_by(work: Callable[[], object], *, without_index: str = "") -> int:
    """Return how many of the ledger's rows this reads until it could commit; it is undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        if without_index:
            cursor.execute(f"DROP INDEX {without_index}")
        cursor.execute(ROWS_READ)
        before = cursor.fetchone()[0]
        work()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(ROWS_READ)
        after = cursor.fetchone()[0]
        transaction.set_rollback(True)
    return int(after - before)


COMMANDS: dict[str, Callable[[UUID], None]] = {
    "charge": charge_once,
    "repeated_charge": repeat_a_charge,
    "refund": refund_once,
    "hold": hold_once,
}
