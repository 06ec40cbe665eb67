"""`make bench ARGS=charges`: one charge at a time, beside the document and the rivals."""

from contextlib import ExitStack
from itertools import product

from bench.contest import Contest, Entrant, hosted, the_document
from bench.packages import rivals_python
from bench.server import Server

RIVALS = ("nostro", "dj_wallet", "bursar")


def run(server: Server) -> None:
    """Print how many charges a second each can do, spread over many wallets and on one."""
    with ExitStack() as stack:
        ours = stack.enter_context(hosted("ours", server.url))
        document = stack.enter_context(the_document(server))
        contest = Contest(server, [ours, document])
        for processes, place in product((1, 8, 32), ("spread", "hot")):
            contest.compare(
                f"charge_{place}_{processes}",
                {"ours": "charge", document.name: "charge"},
                processes,
                is_hot=place == "hot",
            )
        contest.check()


def run_rivals(server: Server) -> None:
    """Print the same beside packages of others."""
    with ExitStack() as stack:
        entrants: list[Entrant] = [stack.enter_context(hosted("ours", server.url))]
        for name in RIVALS:
            try:
                entrants.append(enter_rival(stack, server, name))
            except RuntimeError as problem:
                print(f"charge rival={name} failed={str(problem).strip().splitlines()[-1]}")
        contest = Contest(server, entrants)
        verbs = {entrant.name: "charge" for entrant in entrants}
        for processes, place in product((1, 2, 8), ("spread", "hot")):
            contest.compare(
                f"charge_{place}_{processes}",
                verbs,
                processes,
                is_hot=place == "hot",
                aim="1.5" if place == "spread" else "none",
            )
        contest.check()


def enter_rival(stack: ExitStack, server: Server, name: str) -> Entrant:
    """Prepare one of them, in a database of its own."""
    url = stack.enter_context(server.database(name))
    return stack.enter_context(
        hosted(name, url, module=f"bench.rivals.{name}", python=rivals_python())
    )
