"""One form for all figures, and an exit status that tells whether they are good enough."""

import logging
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

SCALE = float(os.environ.get("SCALE", "1"))
SEED = int(os.environ.get("SEED", "20261121"))


def scaled(number: int) -> int:
    """Return how many of something a run of this scale examines."""
    return max(1, round(number * SCALE))


@dataclass
class Figure:
    """One line, while it is measured."""

    name: str
    asked: int  # what must have been examined at least
    examined: int = 0
    failures: int = 0
    control: str = "none"  # red: without its guard the check fails, as it must; green: it does not
    ratio: str = "-"

    @property
    def falls_short(self) -> bool:
        """Whether something failed, was not noticed, or was not looked at enough."""
        return bool(self.failures) or self.control == "green" or self.examined < self.asked


@dataclass
class Report:
    """All lines of a run."""

    shortcomings: list[str] = field(default_factory=list)

    @contextmanager
    def figure(self, name: str, *, asked: int) -> Iterator[Figure]:
        """Measure one figure and print its line."""
        figure = Figure(name, asked)
        began = time.monotonic()
        yield figure
        print(
            f"{name} examined={figure.examined} failures={figure.failures} "
            f"control={figure.control} ratio={figure.ratio} seed={SEED} "
            f"seconds={time.monotonic() - began:.1f}",
            flush=True,
        )
        if figure.falls_short:
            self.shortcomings.append(name)

    def end(self) -> None:
        """Exit, non-zero if a figure fell short."""
        if self.shortcomings:
            sys.exit(f"These fall short: {', '.join(self.shortcomings)}")


def measure(parts: Mapping[str, Callable[[Report], object]], chosen: Collection[str]) -> None:
    """
    Print every part, or those that are named; exit, non-zero if a figure fell short.

    :raises SystemExit: also if there is no such part: nothing was measured then.
    """
    if unknown := sorted(set(chosen) - set(parts)):
        sys.exit(f"There is no {', '.join(unknown)}; there is {', '.join(parts)}.")
    report = Report()
    logging.disable(logging.ERROR)  # what is killed or refused on purpose is no news here
    for name, part in parts.items():
        if not chosen or name in chosen:
            part(report)
    report.end()
