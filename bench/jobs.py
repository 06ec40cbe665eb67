"""`make bench ARGS=jobs`: jobs accepted over HTTP, and what a claim costs in a long queue."""

import os
from contextlib import ExitStack

from bench.contest import Contest, hosted
from bench.server import Server

CUSTOMERS = 20
SHORT = 10  # areas that wait
LONG = round(10_000 * float(os.environ.get("SCALE", "1")))
ORGANIZATIONS = 10  # that share them


def run(server: Server) -> None:
    """Print what submitting costs beside a bare view, and claiming beside a short queue."""
    accept(server)
    claim(server)


def accept(server: Server) -> None:
    """Compare jobs that are submitted over HTTP with rows that a bare view inserts."""
    with ExitStack() as stack:
        both = [
            stack.enter_context(
                hosted(
                    name,
                    server.url,
                    module=f"bench.contestants.{module}",
                    accounts=CUSTOMERS,
                )
            )
            for name, module in (("jobs", "submitting"), ("bare_view", "inserting"))
        ]
        contest = Contest(server, both)
        for processes in (1, 8):
            verbs = {entrant.name: "submit" for entrant in both}
            contest.compare(f"jobs_accepted_{processes}", verbs, processes)
        contest.check()


def claim(server: Server) -> None:
    """Compare claims while many areas wait with claims while few do."""
    with ExitStack() as stack:
        queues = [
            stack.enter_context(
                hosted(
                    f"at_{waiting}",
                    server.url,
                    module="bench.contestants.waiting",
                    accounts=ORGANIZATIONS,
                    env={"BENCH_WAITING": str(waiting)},
                )
            )
            for waiting in (SHORT, LONG)
        ]
        verbs = {entrant.name: "claim" for entrant in queues}
        Contest(server, queues).compare("job_claim", verbs, 1, aim="at_most_1.2")
