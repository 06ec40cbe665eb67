"""Where the header of a table is, what its columns are called, and what its rows hold."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

from apps.core.sheets.errors import UnreadableUpload

LARGEST_FILE = 2 * 1024 * 1024  # bytes
MOST_ROWS = 5000
MOST_COLUMNS = 50
LONGEST_CELL = 1000  # characters
FURTHEST_ROW = 4 * MOST_ROWS  # of a sheet, with those that are empty
LINES_BEFORE_HEADER = 20
COMMENT = "# "  # what begins a row that is for people
ESCAPED = re.compile(r"\A'(?=[=+\-@\t\r])")  # how a formula is written as text

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one cell, and what to do about it."""

    column: str  # as the file calls it; empty: the row as a whole
    value: str
    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        """Return it as the row keeps it."""
        return vars(self).copy()


@dataclass(frozen=True)
class Vocabulary:
    """
    What a kind of file calls its columns, and how its header is told from its rows.

    `names` has for each field the headers that mean it, in lower case with letters and digits
    only. The header is the first row with the field `tells`, or with two others.
    """

    names: Mapping[str, frozenset[str]]
    template: str  # begins the template's first row: Coffer members and credits
    no_header: str  # said where nothing tells the columns, before "Begin with the template."
    tells: str = ""
    # Tells a row of a file that has no header; without it a header is needed.
    is_row: Callable[[Cells], bool] = lambda cells: False
    version: int = 1  # of the template

    @cached_property
    def _field_of(self) -> dict[str, str]:
        return {name: field for field, names in self.names.items() for name in names}

    @cached_property
    def template_row(self) -> re.Pattern[str]:
        """What the first row of a template is, with its version as `number`."""
        return re.compile(rf"# {re.escape(self.template)} \(version (?P<number>\d{{1,6}})\)")

    def field_named(self, header: str) -> str | None:
        """Return what a column with this header holds: E-Mail, e_mail and EMAIL are one name."""
        folded = unicodedata.normalize("NFKC", header).casefold()
        return self._field_of.get("".join(letter for letter in folded if letter.isalnum()))

    def recognised(self, cells: Iterable[str]) -> set[str]:
        """Return which fields a row names, as a header does."""
        return {field for cell in cells if (field := self.field_named(cell))}

    def guessed_mapping(self, columns: Sequence[str]) -> dict[str, int]:
        """Return for each field the column that has its name; one that two columns have: none."""
        fields = [self.field_named(column) for column in columns]
        return {field: fields.index(field) for field in self.names if fields.count(field) == 1}


@dataclass(frozen=True)
class Line:
    """One row of a table, with its number as a spreadsheet counts."""

    number: int
    cells: Cells  # as many as there are columns, or more where the row has too many


@dataclass(frozen=True)
class Table:
    """A header and what stands below it."""

    columns: Cells
    lines: list[Line]


def table_of(rows: Iterable[Cells], words: Vocabulary) -> Table:
    """
    Return the table that these rows are, without comments, empty rows and columns of ours.

    A column of ours begins with `_`: a file of errors can be mended and uploaded as it is.

    :raises UnreadableUpload: if there is no row, or there are too many, or too long ones.
    """
    lines = _lines(rows, words)
    header, begun = _header_of(lines, words)
    columns = without_empty_end(header.cells if header else _numbered(begun[0].cells))
    kept = [place for place, name in enumerate(columns) if not name.startswith("_")]
    found = []
    for line in chain(begun, lines):
        found.append(Line(line.number, _chosen(line.cells, kept, len(columns))))
        if len(found) > MOST_ROWS:
            problem = f"The file has more than {MOST_ROWS:,} rows. Divide it into several."
            raise UnreadableUpload(reason="too_many_rows", problem=problem)
    if not found:
        problem = "The file has no row below its header. Begin with the template."
        raise UnreadableUpload(reason="empty", problem=problem)
    return Table(tuple(columns[place].strip() for place in kept), found)


def _header_of(lines: Iterator[Line], words: Vocabulary) -> tuple[Line | None, list[Line]]:
    """
    Return the header, if there is one, and the rows below it that were read on the way.

    In a file whose header says other words, it is the row above the first that is surely a row.

    :raises UnreadableUpload: if there is neither.
    """
    before: Line | None = None
    for line in islice(lines, LINES_BEFORE_HEADER):
        named = words.recognised(line.cells)
        if words.tells in named or len(named) > 1:
            return line, []
        if words.is_row(line.cells):
            return before, [line]
        before = line
    raise UnreadableUpload(
        reason="no_header" if before else "empty",
        problem=f"{words.no_header} Begin with the template.",
    )


def _numbered(cells: Cells) -> Cells:
    return tuple(f"Column {number}" for number, _ in enumerate(cells, start=1))


def _lines(rows: Iterable[Cells], words: Vocabulary) -> Iterator[Line]:
    for number, cells in enumerate(rows, start=1):
        if number > FURTHEST_ROW:
            problem = f"The file goes on beyond row {FURTHEST_ROW:,}. Delete what is empty there."
            raise UnreadableUpload(reason="too_many_rows", problem=problem)
        _check(number, cells)
        if any(cell.strip() for cell in cells) and not _is_comment(number, cells, words):
            yield Line(number, tuple(ESCAPED.sub("", cell) for cell in cells))


def _check(number: int, cells: Cells) -> None:
    if len(cells) > MOST_COLUMNS:
        problem = f"Row {number} has more than {MOST_COLUMNS} cells. Delete columns nobody needs."
        raise UnreadableUpload(reason="too_many_columns", row=number, problem=problem)
    if any(len(cell) > LONGEST_CELL for cell in cells):
        problem = f"A cell of row {number} has more than {LONGEST_CELL} characters."
        raise UnreadableUpload(reason="too_long", row=number, problem=problem)


def _is_comment(number: int, cells: Cells, words: Vocabulary) -> bool:
    template = words.template_row.match(cells[0])
    if template and int(template["number"]) > words.version:
        problem = "The template is of a later version than this instance. Download it here again."
        raise UnreadableUpload(reason="template_version", row=number, problem=problem)
    return cells[0].startswith(COMMENT)


def without_empty_end(cells: Cells) -> Cells:
    """Return the cells up to the last that says something."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _chosen(cells: Cells, kept: Sequence[int], width: int) -> Cells:
    """Return the cells of the columns that are kept, and whatever stands beyond the header."""
    padded = (*cells, *("" for _ in range(width - len(cells))))
    beyond = without_empty_end(padded[width:])
    return (*(padded[place] for place in kept), *beyond)


def cells_beyond(cells: Sequence[str], columns: Sequence[str]) -> list[Fault]:
    """Return what is wrong with a row that has more cells than its header, as one cut apart has."""
    if len(cells) <= len(columns):
        return []
    said = "The row has more cells than the header. A value with a separator stands in quotes."
    return [Fault("", cells[len(columns)], "too_many_cells", said)]
