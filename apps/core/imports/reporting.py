"""What was found in a file: a line for each value that somebody has to look at."""

import csv
from typing import Protocol

from apps.core.exports import safe_cell
from apps.core.imports.reading import Unfit

COLUMNS = ["line", "kind", "column", "value", "problem", "fix"]


class Lines(Protocol):
    """Whatever text can be written to."""

    def write(self, text: str, /) -> object:
        """Add it."""


class Report:
    """
    A CSV that is written while the file is read.

    A *problem* keeps its row out; a *note* says what somebody should look at in one that is in.
    """

    def __init__(self, stream: Lines) -> None:
        self._writer = csv.writer(stream)
        self._writer.writerow(COLUMNS)
        self.problems = 0
        self.notes = 0

    def problem(self, line: int, unfit: Unfit) -> None:
        """Say why a row is not taken over."""
        self.problems += 1
        self._write(line, "problem", unfit)

    def note(self, line: int, unfit: Unfit) -> None:
        """Say what to look at in a row that is taken over."""
        self.notes += 1
        self._write(line, "note", unfit)

    def _write(self, line: int, kind: str, unfit: Unfit) -> None:
        cells = [line, kind, unfit.column, unfit.value, unfit.problem, unfit.fix]
        self._writer.writerow([safe_cell(cell) for cell in cells])
