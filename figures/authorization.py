"""The authorization matrix: part of `make figures-3`."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from figures.lines import Report
from tests.authorization.controls import (
    api_asks_for_nothing,
    ids_tell_more,
    jobs_of_everybody_without_walls,
    pages_ask_for_nothing,
)
from tests.authorization.rows import Row
from tests.authorization.running import Findings, matrix
from tests.authorization.table import ROWS
from tests.authorization.test_table import missing_rows
from tests.database import migrated_database
from tests.roles import web_role_for_requests

CELLS = 20_000  # fewer would mean that a part of the table was not asked
SHOWN = 20
Control = Callable[[], AbstractContextManager[list[Row]]]


def main() -> None:
    """Print the matrix with its controls."""
    report = Report()
    with migrated_database(), web_role_for_requests():
        the_matrix(report)
    report.end()


def the_matrix(report: Report) -> None:
    """Every route × caller × object: what it answers, and what it gives away."""
    with report.figure("authorization_routes", asked=len(ROWS)) as figure:
        figure.examined, figure.failures = len(ROWS), tell(missing_rows(ROWS))
        figure.control = "red" if missing_rows(ROWS[1:]) else "green"
    with report.figure("authorization_matrix", asked=CELLS) as figure:
        with matrix() as it:
            found = it.run()
        figure.examined, figure.failures = found.cells, tell(found.wrong)
        figure.control = noticed("wrong", api_asks_for_nothing, pages_ask_for_nothing)
    lines = (
        (
            "canaries",
            found.searched,
            found.leaks,
            noticed("leaks", jobs_of_everybody_without_walls),
        ),
        ("ids_of_others_like_none", found.pairs, found.unequal, noticed("unequal", ids_tell_more)),
        ("pages_without_inline_parts", found.pages, found.inline, "none"),
    )
    for name, examined, failures, control in lines:
        with report.figure(name, asked=1) as figure:
            figure.examined, figure.failures, figure.control = examined, tell(failures), control


def tell(found: list[str]) -> int:
    """Print the first findings, and return how many there are."""
    for one in found[:SHOWN]:
        print(f"    {one}", flush=True)
    return len(found)


def noticed(kind: str, *controls: Control) -> str:
    """Return whether a short pass finds something of this kind, with each guard away in turn."""
    return "red" if all(getattr(findings(one), kind) for one in controls) else "green"


def findings(control: Control) -> Findings:
    """Return what a short pass finds while a guard is away."""
    with matrix() as it, control() as rows:
        return it.run(rows, quickly=True)


if __name__ == "__main__":
    main()
