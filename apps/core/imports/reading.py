"""Read a CSV of former rows, one row at a time, and the values in it."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

LONGEST_ID = 100  # characters
ID = re.compile(r"[A-Za-z0-9._:-]+")
MOST = 2**53  # of whole numbers: no former table has larger ones, and every program can read these


class UnreadableFile(Exception):
    """The file is no table that can be read, or not from some line on: it is read no further."""


class Unfit(Exception):
    """What stands in a row cannot be taken over, and what to do about it."""

    def __init__(self, column: str, value: str, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.column = column
        self.value = value
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True)
class FormerRow:
    """A row of the file: its values by our names for the columns, and its line in the file."""

    line: int
    values: Mapping[str, str]  # without spaces around them; empty where the file has no column
    unfit: Unfit | None = None  # why it is no row at all

    def text(self, column: str) -> str:
        """
        Return what stands there.

        :raises Unfit: if nothing does.
        """
        value = self.values[column]
        if not value:
            raise Unfit(column, "", "Nothing stands here.", "Fill it in.")
        return value

    def former_id(self, column: str) -> str:
        """
        Return an id of the former system.

        :raises Unfit: if there is none, or it is too long, or not of letters, digits and `._:-`.
        """
        value = self.text(column)
        if len(value) > LONGEST_ID or not ID.fullmatch(value):
            fix = f"Give up to {LONGEST_ID} letters, digits, points, colons, dashes, underscores."
            raise Unfit(column, value, "This is no id.", fix)
        return value

    def whole(self, column: str) -> int:
        """
        Return a whole number, with its sign.

        :raises Unfit: if it is none, or beyond all reason.
        """
        value = self.text(column)
        if not re.fullmatch(r"[+-]?[0-9]{1,16}", value) or abs(int(value)) > MOST:
            raise Unfit(column, value, "This is no whole number.", "Give digits, such as 250.")
        return int(value)

    def decimal(self, column: str) -> Decimal:
        """
        Return a number of kW or of money, not below zero.

        :raises Unfit: if it is none, or beyond all reason.
        """
        value = self.text(column)
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not 0 <= number < 10**9:
            raise Unfit(column, value, "This is no number.", "Give digits and a point: 2.5")
        return number

    def moment(self, column: str) -> datetime:
        """
        Return a moment in UTC, which is also meant without a zone, as in hosted PostgreSQL.

        :raises Unfit: if it is none.
        """
        value = self.text(column)
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:  # or the first or last day of all
            fix = "Write it so: 2025-11-03 14:30:00+00"
            raise Unfit(column, value, "This is no time.", fix) from error

    def day(self, column: str) -> date:
        """
        Return the day, UTC, on which a moment lies.

        :raises Unfit: if it is none.
        """
        return self.moment(column).date()


class FormerFile:
    """
    A CSV with a header, as PostgreSQL's COPY and hosted consoles write it: commas, UTF-8.

    `columns` says under which names each of our columns may stand in the header; of several that
    stand there the first counts.
    """

    def __init__(
        self, path: Path, *, columns: Mapping[str, tuple[str, ...]], needed: tuple[str, ...]
    ) -> None:
        self.path = path
        self.columns = columns
        self.needed = needed

    def rows(self) -> Iterator[FormerRow]:
        """
        Yield the rows in order, however many, those that cannot be read among them.

        :raises UnreadableFile: if it is no such file, or a column that is needed is missing.
        """
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as lines:
                records = csv.reader(lines, strict=True)
                header = [name.strip().lower() for name in next(records, [])]
                places = self._places(header)
                for record in records:
                    if record:
                        yield self._row(records.line_num, header, places, record)
        except OSError as error:
            raise UnreadableFile(f"{self.path} cannot be opened: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"{self.path} is not UTF-8. Export it as UTF-8.") from error
        except csv.Error as error:
            where = f"line {records.line_num} of {self.path}"
            raise UnreadableFile(f"{where} cannot be read: {error}.") from error

    def _places(self, header: list[str]) -> dict[str, int]:
        """
        Return where each of our columns stands.

        :raises UnreadableFile: if one that is needed is missing, or stands there twice.
        """
        places: dict[str, int] = {}
        for column, names in self.columns.items():
            name = next((name for name in names if name in header), "")
            if header.count(name) > 1:
                raise UnreadableFile(f"{self.path} has two columns {name}. Keep one.")
            if name:
                places[column] = header.index(name)
            elif column in self.needed:
                known = " or ".join(names)
                raise UnreadableFile(f"{self.path} has no column {column}. Call it {known}.")
        return places

    def _row(
        self, line: int, header: list[str], places: dict[str, int], record: list[str]
    ) -> FormerRow:
        if len(record) != len(header):
            problem = f"It has {len(record)} values, and the header has {len(header)}."
            return FormerRow(line, {}, Unfit("", "", problem, "Export the table once more."))
        if any("\0" in value for value in record):  # PostgreSQL keeps none
            problem = "A value holds a NUL character."
            return FormerRow(line, {}, Unfit("", "", problem, "Export the table without it."))
        values = {
            column: record[places[column]].strip() if column in places else ""
            for column in self.columns
        }
        return FormerRow(line, values)
