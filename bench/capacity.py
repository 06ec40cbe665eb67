"""`make bench ARGS=capacity`: the oldest thousand of a million blocks, beside bare SQL."""

import os
from contextlib import ExitStack

from bench.contest import Contest, Hosted, hosted
from bench.server import Server

BLOCKS = round(1_000_000 * float(os.environ.get("SCALE", "1")))


def run(server: Server) -> None:
    """Print what choosing and reserving cost beside bare SQL, and beside a long history."""
    with ExitStack() as stack:
        fresh, aged = (
            stack.enter_context(
                hosted(
                    f"former_{former}",
                    server.url,
                    module="bench.contestants.picking",
                    accounts=BLOCKS,
                    env={"BENCH_FORMER": str(former)},
                )
            )
            for former in (0, BLOCKS)
        )
        # Before the rows are marked and rolled back so often beside bare SQL: both are new here.
        grown = Contest(server, [fresh, aged])
        for verb in ("choose_oldest", "reserve"):
            verbs = {one.name: verb for one in grown.entrants}
            grown.compare(f"capacity_{verb}_grown", verbs, 1, aim="at_most_1.2")
        bare = Hosted("bare_sql", fresh.pipe)  # in the same program and database
        beside = Contest(server, [fresh, bare])
        for verb in ("choose_oldest", "reserve"):
            verbs = {fresh.name: verb, bare.name: f"{verb}_bare"}
            beside.compare(f"capacity_{verb}", verbs, 1, aim="0.33")
