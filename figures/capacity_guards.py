"""What the database refuses of capacity: each guard removed in turn."""

from django.db import transaction

from figures.guards import Line, judge, try_out
from figures.lines import Report
from figures.partners_programmes import fresh
from tests.capacity.guarded import TABLES, keys, make_guarded_plant
from tests.capacity.guards import GUARDS
from tests.races.guards import guards_in_the_catalogue

TEST = "tests/capacity/test_guards.py::TestEachGuard::test_is_what_refuses"


def capacity_guards(report: Report) -> None:
    """Print what turns red without each CHECK, key and trigger of plants and allocations."""
    lines: dict[str, Line] = {}
    with fresh(), transaction.atomic():
        name = "capacity_guards_removed_in_turn"
        with report.figure(name, asked=guards_in_the_catalogue(TABLES)) as figure:
            make_guarded_plant()
            for guard in GUARDS + keys():
                try_out(lines, guard, TEST)
            judge(figure, lines, TABLES)
        transaction.set_rollback(True)
