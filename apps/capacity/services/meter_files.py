"""Read files of readings: what each row says, and what is wrong with its cells. Asks nobody."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from apps.core.sheets import Fault, UnreadableUpload, Vocabulary, cells_beyond, read_table
from apps.core.sheets.numbers import decimal_of, whole_of

MOST_READINGS = 1000  # of one file: all of them are written in one transaction
WH = 1000  # in a kWh
WRITE_A_DAY = "Write the day as year, month and day, like 2026-10-31."


class Field(StrEnum):
    """What a column can hold."""

    PROJECT = "project"
    STARTS_ON = "starts_on"
    ENDS_ON = "ends_on"
    ENERGY_KWH = "energy_kwh"
    ENERGY_WH = "energy_wh"


DAYS = (Field.STARTS_ON, Field.ENDS_ON)
READINGS = Vocabulary(
    names={
        Field.PROJECT: frozenset({"project", "projectcode", "projectid", "plant"}),
        Field.STARTS_ON: frozenset({"startson", "start", "from", "firstday"}),
        Field.ENDS_ON: frozenset({"endson", "end", "to", "until", "lastday"}),
        Field.ENERGY_KWH: frozenset({"energykwh", "kwh", "generationkwh", "generatedkwh"}),
        Field.ENERGY_WH: frozenset({"energywh", "wh", "generationwh", "generatedwh"}),
    },
    template="Coffer readings",
    no_header="No row names the columns.",
)
TEMPLATE = (
    ["# Coffer readings (version 1)"],
    [Field.PROJECT, Field.STARTS_ON, Field.ENDS_ON, Field.ENERGY_KWH],
    ["# north-roof", "2026-10-01", "2026-10-31", "1234.5"],
)


@dataclass(frozen=True)
class Facts:
    """What a row says that can be understood."""

    project: str  # its code or id
    starts_on: date
    ends_on: date  # the last day that is in it
    energy_wh: int


@dataclass(frozen=True)
class MeterRow:
    """A row of a file: what it says, or what is wrong with it."""

    number: int  # as a spreadsheet counts
    facts: Facts | None
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # of each field: name, value
    faults: Sequence[Fault] = ()
    columns: Sequence[str] = ()  # of the file
    line: Sequence[str] = ()  # all its cells, as they stand there

    def fault(self, of: str, code: str, message: str) -> Fault:
        """Return what is wrong with one of its fields, with the column as the file calls it."""
        if of == Field.ENERGY_WH and not self.text(of):
            of = Field.ENERGY_KWH if Field.ENERGY_KWH in self.cells else of
        column, value = self.cells.get(of, (of, ""))
        return Fault(column, value, code, message)

    def text(self, of: str) -> str:
        """Return what stands in the cell of a field; nothing, where there is no such column."""
        return self.cells.get(of, ("", ""))[1]


def read_rows(data: bytes, *, project: str = "") -> list[MeterRow]:
    """
    Return the rows of a CSV or XLSX file; `project` is meant where a row names none.

    :raises UnreadableUpload: if it is no table, a column is missing, or it has too many rows.
    """
    table = read_table(data, READINGS)
    mapping = READINGS.guessed_mapping(table.columns)
    _check_columns(mapping, has_project=bool(project))
    if len(table.lines) > MOST_READINGS:
        problem = f"The file has more than {MOST_READINGS:,} readings. Divide it into several."
        raise UnreadableUpload(reason="too_many_rows", problem=problem)
    return [_read(line.number, line.cells, table.columns, mapping, project) for line in table.lines]


def _check_columns(mapping: Mapping[str, int], *, has_project: bool) -> None:
    needed = [*DAYS] if has_project else [Field.PROJECT, *DAYS]
    missing = [name.value for name in needed if name not in mapping]
    if Field.ENERGY_KWH not in mapping and Field.ENERGY_WH not in mapping:
        missing.append(f"{Field.ENERGY_KWH} or {Field.ENERGY_WH}")
    if missing:
        said = f"The file needs one column {', and one '.join(missing)}. Begin with the template."
        raise UnreadableUpload(reason="no_column", problem=said)


def _read(
    number: int,
    cells: Sequence[str],
    columns: Sequence[str],
    mapping: Mapping[str, int],
    project: str,
) -> MeterRow:
    said = {name: (columns[place], cells[place].strip()) for name, place in mapping.items()}
    row = MeterRow(number, None, said, columns=columns, line=cells)
    faults = cells_beyond(cells, columns)
    first, last = (_told(row, name, day_said, faults) for name in DAYS)
    energy = _energy(row, faults)
    if faults or first is None or last is None or energy is None:
        return replace(row, faults=faults)
    return replace(row, facts=Facts(row.text(Field.PROJECT) or project, first, last, energy))


def _told[T](
    row: MeterRow, name: Field, understand: Callable[[str], T], faults: list[Fault]
) -> T | None:
    """Return what a cell means; note what is wrong where it means nothing."""
    try:
        return understand(row.text(name))
    except ValueError as error:
        faults.append(row.fault(name, f"invalid_{name}", str(error)))
        return None


def _energy(row: MeterRow, faults: list[Fault]) -> int | None:
    """Return the energy in Wh of the one cell that says it."""
    given = [name for name in (Field.ENERGY_KWH, Field.ENERGY_WH) if row.text(name)]
    if len(given) == 1:
        understand = whole_of if given[0] == Field.ENERGY_WH else watt_hours_of
        return _told(row, given[0], understand, faults)
    said = "Write the energy in kWh or in Wh, and not in both."
    faults.append(row.fault(Field.ENERGY_WH, "invalid_energy", said))
    return None


def day_said(text: str) -> date:
    """
    Return the day that a cell says; a workbook's days have a midnight behind them.

    :raises ValueError: if it is none, with what to write.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(WRITE_A_DAY) from error
    if len(text) < len("2026-10-31") or moment != datetime.combine(moment, datetime.min.time()):
        raise ValueError(WRITE_A_DAY)
    return moment.date()


def watt_hours_of(text: str) -> int:
    """
    Return the Wh of a cell in kWh, exactly.

    :raises ValueError: if it says no number, or one that is finer than a Wh.
    """
    energy = Fraction(decimal_of(text)) * WH  # a Decimal would round what has many digits
    if energy.denominator != 1:
        raise ValueError("A kWh has three digits after the point at most. Round it to the Wh.")
    return energy.numerator
