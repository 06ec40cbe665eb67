"""`make bench ARGS=charges`: one charge at a time, beside the document and the rivals."""

from contextlib import ExitStack
from itertools import product

from bench.contest import Contest, hosted, the_document
from bench.server import Server


def run(server: Server) -> None:
    """Print how many charges a second each can do, spread over many wallets and on one."""
    with ExitStack() as stack:
        ours = stack.enter_context(hosted("ours", server.url))
        document = stack.enter_context(the_document(server))
        contest = Contest([ours, document])
        for processes, place in product((1, 8, 32), ("spread", "hot")):
            contest.compare(
                f"charge_{place}_{processes}",
                {"ours": "charge", document.name: "charge"},
                processes,
                is_hot=place == "hot",
            )
        contest.check()
