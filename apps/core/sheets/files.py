"""Rows of an upload as files to take away, with what is said of each beside it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apps.core.sheets.tables import Fault


@dataclass(frozen=True)
class SheetFile:
    """A file to take away: what `stream_csv` needs."""

    filename: str
    columns: list[str]
    rows: Iterator[list[object]]


@dataclass(frozen=True)
class FaultyRow:
    """A row that is wrong, as it stood in the file, and why."""

    number: int
    cells: Sequence[str]
    problems: str


def file_of_errors(filename: str, columns: Sequence[str], faulty: Iterable[FaultyRow]) -> SheetFile:
    """
    Return the rows that are wrong, as they stood in the file.

    What begins with _ is left out when the file comes back, so it can be mended as it is.
    """
    rows = (with_notes(one.cells, columns, [one.number, one.problems]) for one in faulty)
    return SheetFile(filename, [*columns, "_row", "_error"], rows)


def with_notes(
    cells: Sequence[str], columns: Sequence[str], notes: Sequence[object]
) -> list[object]:
    """
    Return a row as it stood, and then what we say of it, each in its own column.

    Cells that no column has stand last, so that a row with too many stays one.
    """
    width = len(columns)
    padded = [*cells, *("" for _ in range(width - len(cells)))]
    return [*padded[:width], *notes, *padded[width:]]


def problems_of(faults: Iterable[Fault]) -> str:
    """Return what is wrong with a row, cell by cell, as one text."""
    return " ".join(f"{one.column}: {one.message}" if one.column else one.message for one in faults)
