"""`make bench ARGS=growth`: what reading and charging cost when there is a long past."""

import os
from contextlib import ExitStack

from bench.contest import Contest, hosted
from bench.server import Server

SMALL = 10_000  # transactions
LARGE = round(1_000_000 * float(os.environ.get("SCALE", "1")))
WALLETS = 100
VERBS = ("balance", "charge", "statement", "old_statement")


def run(server: Server) -> None:
    """Print how many times as long each takes with a hundred (or a thousand) times the rows."""
    with ExitStack() as stack:
        both = [
            stack.enter_context(
                hosted(
                    f"at_{entries}",
                    server.url,
                    module="bench.contestants.aged",
                    accounts=WALLETS,
                    env={"BENCH_ENTRIES": str(entries)},
                )
            )
            for entries in (SMALL, LARGE)
        ]
        contest = Contest(server, both)
        for verb in VERBS:
            verbs = {entrant.name: verb for entrant in both}
            contest.compare(f"growth_{verb}", verbs, 1, aim="at_most_1.2")
