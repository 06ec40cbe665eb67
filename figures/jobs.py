"""`make figures-6`: jobs are paid exactly for what ran, whatever dies, and each in its turn."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from figures.jobs_crashes import crashes
from figures.jobs_kills import flushed_redis, killed_workers
from figures.jobs_many import many
from figures.jobs_order import order
from figures.lines import Report, measure

PROGRAMS = ("uploads", "ratelimits")
Part = Callable[[Report], object]


def by_itself(name: str) -> Part:
    """Return a part that is a program of its own: figures/NAME.py with a `main`."""

    def part(report: Report) -> None:
        try:
            import_module(f"figures.{name}").main()
        except SystemExit:  # with which it says that a line falls short
            report.shortcomings.append(name)

    return part


PARTS: dict[str, Part] = {
    "crashes": crashes,
    "kills": killed_workers,
    "flush": flushed_redis,
    "many": many,
    "order": order,
    **{name: by_itself(name) for name in PROGRAMS if find_spec(f"figures.{name}")},
}

if __name__ == "__main__":
    measure(PARTS, sys.argv[1:])
