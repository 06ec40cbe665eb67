"""`make bench ARGS=generation`: a month of a large project, beside bare inserts of its shares."""

import os
from contextlib import ExitStack

from bench.contest import Contest, hosted
from bench.server import Server

ORGANIZATIONS = 50
ALLOCATIONS = round(50_000 * float(os.environ.get("SCALE", "1")))


def run(server: Server) -> None:
    """Print what dividing costs beside inserting, and what posting the credits adds to it."""
    with ExitStack() as stack:
        both = [
            stack.enter_context(
                hosted(
                    name,
                    server.url,
                    module=f"bench.contestants.{module}",
                    accounts=ORGANIZATIONS,
                    env={"BENCH_ALLOCATIONS": str(ALLOCATIONS)},
                )
            )
            for name, module in (("generation", "generating"), ("bare_insert", "bare_shares"))
        ]
        contest = Contest(server, both)
        for verb in ("share", "divide"):  # what was only divided, would be posted with the next
            verbs = {"generation": verb, "bare_insert": "insert"}
            contest.compare(f"generation_{verb}_{ALLOCATIONS}", verbs, 1)
        contest.check()
