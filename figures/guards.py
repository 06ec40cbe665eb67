"""
The table of guards: each removed in turn, and what turns red without it.

A line `GUARD name=… kind=… red=… by=…` for each unique key, CHECK, trigger, primary and
foreign key that the catalogue has for credits, and for each lock in their source.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from figures.lines import Figure, Report
from tests.credits import test_guards
from tests.database import empty_tables
from tests.races.guard_table import GUARDS, keys
from tests.races.guarded import fill_the_other_tables, make_guarded_wallet
from tests.races.guards import CREDITS, Guard, guards_in_the_catalogue, missing
from tests.races.locks import LOCKS, how_often_taken

ELSEWHERE = "tests/credits/test_guards.py::TestEachGuard::test_is_what_refuses"
HERE = "tests/credits/test_hold_guards.py::TestEachGuard::test_is_what_refuses"
KEYS = "tests/credits/test_hold_guards.py::TestEachGuard::test_of_the_keys_is_what_refuses"
RACES = "tests/races/test_locks.py::TestEachLock::test_orders_what_would_go_wrong"


@dataclass
class Line:
    """One guard, and whether something turned red without it."""

    name: str
    kind: str
    by: str  # the test that does
    is_red: bool = True  # for each of the writes that it refuses

    def tell(self) -> None:
        """Print it."""
        is_red = "yes" if self.is_red else "no"
        print(f"    GUARD name={self.name} kind={self.kind} red={is_red} by={self.by}", flush=True)


def the_guards(report: Report) -> None:
    """Print the table; count guards that nothing would miss, and guards that are not in it."""
    with report.figure("guards_removed_in_turn", asked=guards_in_the_catalogue()) as figure:
        judge(figure, guards_of_credits())
    with report.figure("locks_removed_in_turn", asked=how_often_taken().total()) as figure:
        for name, lock in LOCKS.items():
            line = Line(name, "lock", f"{RACES}[{name}]", lock.is_what_orders())
            line.tell()
            figure.examined += 1
            figure.failures += not line.is_red
            empty_tables()
        figure.control = "green" if figure.failures else "red"


def judge(figure: Figure, lines: Mapping[str, Line], tables: str = CREDITS) -> None:
    """Print a line for each guard of these tables, also for those that are forgotten."""
    figure.examined = len(lines)
    forgotten = missing(set(lines), tables)
    told = [*lines.values(), *(Line(*one, "nothing", False) for one in forgotten.items())]
    for line in sorted(told, key=lambda line: (line.kind, line.name)):
        line.tell()
        figure.failures += not line.is_red
    figure.control = "green" if figure.failures else "red"


def try_out(lines: dict[str, Line], guard: Guard, by: str) -> None:
    """Try a write that a guard refuses, as things are and with the guard removed."""
    line = lines.setdefault(guard.name, Line(guard.name, guard.kind, by))
    line.is_red = guard.is_what_refuses() and line.is_red


def guards_of_credits() -> dict[str, Line]:
    """Try every write that a guard of credits refuses."""
    lines: dict[str, Line] = {}
    with transaction.atomic():
        wallet = make_guarded_wallet()
        for known in test_guards.GUARDS:
            kind = "trigger" if known.is_trigger else "check"
            guard = Guard(known.name, kind, known.table, known.write)
            try_out(lines, guard, f"{ELSEWHERE}[{known.name}]")
        fill_the_other_tables(wallet)
        for guard in GUARDS:
            try_out(lines, guard, f"{HERE}[{guard.name}]")
        for guard in keys():
            try_out(lines, guard, KEYS)
        transaction.set_rollback(True)
    return lines
