"""`make figures-6`: jobs are paid exactly for what ran, whatever dies, and each in its turn."""

import logging
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from figures.jobs_crashes import crashes
from figures.jobs_kills import flushed_redis, killed_workers
from figures.jobs_many import many
from figures.jobs_order import order
from figures.lines import Report

Part = Callable[[Report], object]


def main(chosen: list[str]) -> None:
    """Print every figure of jobs, or those of the parts that are named."""
    report = Report()
    logging.disable(logging.ERROR)  # what is killed on purpose is no news here
    for name, part in PARTS.items():
        if not chosen or name in chosen:
            part(report)
    report.end()


def parts_of_their_own() -> dict[str, Part]:
    """Return the parts in modules of the same name, as far as these are there."""
    names = [name for name in ("uploads", "ratelimits") if find_spec(f"figures.{name}")]
    return {name: getattr(import_module(f"figures.{name}"), name) for name in names}


PARTS: dict[str, Part] = {
    "crashes": crashes,
    "kills": killed_workers,
    "flush": flushed_redis,
    "many": many,
    "order": order,
    **parts_of_their_own(),
}

if __name__ == "__main__":
    main(sys.argv[1:])
