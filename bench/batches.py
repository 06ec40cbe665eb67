"""`make bench ARGS=batches`: 500 charges in one `post`, beside 500 calls, and COPY."""

from contextlib import ExitStack
from itertools import product

from bench.contest import Contest, hosted, the_document
from bench.server import Server


def run(server: Server) -> None:
    """Print how many charges a second come through in batches."""
    with ExitStack() as stack:
        ours = stack.enter_context(hosted("ours", server.url))
        document = stack.enter_context(the_document(server))
        contest = Contest(server, [ours, document])
        for processes, place in product((1, 8), ("spread", "hot")):
            is_hot = place == "hot"
            each_alone = {"ours": "charge_batch", document.name: "charge"}
            contest.compare(
                f"batch_{place}_{processes}",
                each_alone,
                processes,
                is_hot=is_hot,
                aim="10" if is_hot else "2",
            )
        if server.pgbench:  # kinder to it than the document is: 500 calls share one commit
            together = {"ours": "charge_batch", document.name: "charge_in_one_transaction"}
            for place in ("spread", "hot"):
                contest.compare(f"batch_{place}_one_commit", together, 1, is_hot=place == "hot")
        contest.check()
        copy = stack.enter_context(hosted("copy", server.url, module="bench.contestants.copying"))
        limit = Contest(server, [ours, copy])
        limit.compare(
            "batch_spread", {"ours": "charge_batch", "copy": "charge_batch"}, 1, aim="0.25"
        )
