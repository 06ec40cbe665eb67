"""What a command reads of its wallet's history: 10 transactions, and 10,000."""

from functools import partial

from figures.lines import Report, scaled
from tests.database import empty_tables
from tests.races.history import COMMANDS, charge_once, make_history, rows_read_by

SHORT, LONG = 16, 10_000
FEW = 10  # rows: another plan, after another sample of ANALYZE, may look a few times more


def a_long_history(report: Report) -> None:
    """Count the ledger's rows that each command reads, its triggers' look-ups included."""
    short, long = make_history(SHORT), make_history(scaled(LONG))
    for name, command in COMMANDS.items():
        with report.figure(f"rows_read_by_{name}", asked=2) as figure:
            before = rows_read_by(partial(command, short))
            after = rows_read_by(partial(command, long))
            figure.examined = 2
            figure.failures = int(after > before + FEW)
            figure.ratio = f"{after / before:.2f}"
            print(f"    of {SHORT}: {before}, of {scaled(LONG)}: {after}")
    with report.figure("rows_read_without_an_index", asked=1) as figure:
        work = partial(charge_once, long)
        after = rows_read_by(work, without_index="credits_entries_of_lot")
        figure.examined = 1
        figure.control = "red" if after > scaled(LONG) / 4 else "green"
        print(f"    of {scaled(LONG)}: {after}")
    empty_tables()
