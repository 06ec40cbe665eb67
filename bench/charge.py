"""
`make bench`: a charge of Coffer beside the function of document 002.

Both in one database with fsync on, in turns, each with the same number of connections.
A ratio above 1 says that Coffer is faster. Ours does more for it: lots, a hash chain
that the database re-verifies, and a replay that answers instead of failing.
"""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

from django.db import connection, transaction

from apps.core import ids
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.posting import post
from figures.lines import Report, scaled
from tests.credits.wallets import make_wallets
from tests.database import migrated_database
from tests.races.racing import at_once

ACCOUNTS = 100
BATCH = 500
CHARGES = 600  # for each of the two, in each round
SQL = Path(__file__).with_name("document_002.sql")
Work = Callable[[int, int], None]  # (how many, which account; -1: each in turn)


def main() -> None:
    """Print the ratios."""
    report = Report()
    with migrated_database():
        wallets = make_wallets(ACCOUNTS, credits=10**9)
        accounts = make_accounts()
        for connections, (place, spread) in itertools.product(
            (1, 2, 8), (("spread", -1), ("hot", 0))
        ):
            compare(
                report,
                f"charge_{place}_{connections}",
                lambda count, spread=spread: ours(wallets, count, spread),
                lambda count, spread=spread: theirs(accounts, count, spread),
                connections,
            )
        for place, spread in (("spread", -1), ("hot", 0)):
            compare(
                report,
                f"batch_of_{BATCH}_{place}",
                lambda count, spread=spread: ours_in_batches(wallets, count, spread),
                lambda count, spread=spread: theirs(accounts, count, spread),
                1,
            )
    report.end()


def compare(
    report: Report,
    name: str,
    mine: Callable[[int], None],
    other: Callable[[int], None],
    connections: int,
) -> None:
    """Time both in turns, and print how many times as fast ours is."""
    count = scaled(CHARGES) // connections
    with report.figure(name, asked=count * connections) as figure:
        seconds = {"mine": 0.0, "other": 0.0}
        for _ in range(3):
            seconds["mine"] += timed(mine, count, connections)
            seconds["other"] += timed(other, count, connections)
        figure.examined = count * connections * 3
        per_second = [round(figure.examined / seconds[who]) for who in ("mine", "other")]
        figure.ratio = (
            f"{seconds['other'] / seconds['mine']:.2f}({per_second[0]}/{per_second[1]}per_s)"
        )


def timed(work: Callable[[int], None], count: int, connections: int) -> float:
    """Return the seconds that so many connections take for the work."""
    began = time.perf_counter()
    at_once([lambda: work(count)] * connections)
    return time.perf_counter() - began


def ours(wallets: list[UUID], count: int, spread: int) -> None:
    """Charge one by one, each in a transaction of its own."""
    for number in range(count):
        wallet_id = wallets[number % ACCOUNTS if spread < 0 else spread]
        with transaction.atomic():
            post([command(wallet_id)])


def ours_in_batches(wallets: list[UUID], count: int, spread: int) -> None:
    """Charge five hundred at a time."""
    places = [number % ACCOUNTS if spread < 0 else spread for number in range(count)]
    for batch in itertools.batched(places, BATCH):
        with transaction.atomic():
            post([command(wallets[place]) for place in batch])


def command(wallet_id: UUID) -> Charge:
    """Return a charge with a cause of its own."""
    return Charge(wallet_id=wallet_id, reference=f"bench:{ids.new_id()}", source="bench", amount=1)


def theirs(accounts: list[UUID], count: int, spread: int) -> None:
    """Call the function of the document, each time in a transaction of its own."""
    with connection.cursor() as cursor:
        for number in range(count):
            account = accounts[number % ACCOUNTS if spread < 0 else spread]
            cursor.execute(
                "SELECT document_002.atomic_charge_credits(%s, 'render', 1, %s)",
                [account, str(uuid4())],
            )


def make_accounts() -> list[UUID]:
    """Make the document's tables, and accounts that never run dry."""
    accounts = [ids.new_id() for _ in range(ACCOUNTS)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SQL.read_text())
        cursor.execute(
            "INSERT INTO document_002.users SELECT unnest(%s::uuid[]), 1000000000", [accounts]
        )
    return accounts


if __name__ == "__main__":
    main()
