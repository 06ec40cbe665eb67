"""`make bench ARGS=uploads`: a file of 5,000 members, beside one INSERT for each table it fills."""

import os
from contextlib import ExitStack

from bench.contest import Contest, Hosted, hosted
from bench.server import Server

ROWS = round(5_000 * float(os.environ.get("SCALE", "1")))
A_MOMENT = 0.05  # seconds: shorter than any upload, so that a turn is one upload


class Uploader(Hosted):
    """One whose own clock counts, since the bare tables are emptied between the turns."""

    def work(self, verb: str, processes: int, *, is_hot: bool) -> float:
        """Upload once, and return how many rows that were in a second."""
        said = self.ask(verb=verb, processes=processes, seconds=A_MOMENT, is_hot=is_hot)
        self.done += ROWS
        return ROWS / (said["done"] / 1e6)


def run(server: Server) -> None:
    """Print how long an upload takes beside its bare rows, how much it asks, and what it grows."""
    with ExitStack() as stack:
        both = [
            stack.enter_context(
                hosted(
                    name,
                    server.url,
                    module=f"bench.contestants.{module}",
                    accounts=1,
                    env={"BENCH_ROWS": str(ROWS)},
                )
            )
            for name, module in (("uploads", "uploading"), ("bare_insert", "bare_uploads"))
        ]
        entrants = [Uploader(one.name, one.pipe) for one in both]
        contest = Contest(server, entrants)
        verbs = {one.name: "upload" for one in entrants}
        contest.compare(f"upload_{ROWS}", verbs, 1, aim="0.33")
        contest.check()
        entrants[0].ask(verb="count", processes=1, seconds=A_MOMENT, is_hot=False)
