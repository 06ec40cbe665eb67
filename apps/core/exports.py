"""CSV that streams, and that no spreadsheet takes for formulas."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: object) -> object:
    """Return the value as a cell: text that a spreadsheet would run gets an apostrophe."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def stream_csv(
    *, filename: str, columns: list[str], rows: Iterable[Iterable[object]]
) -> StreamingHttpResponse:
    """Answer rows as a CSV file, in constant memory however many there are."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow([safe_cell(name) for name in columns])
        for row in rows:
            yield writer.writerow([safe_cell(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


def stream_table(
    *, filename: str, columns: Mapping[str, str], rows: Iterable[object]
) -> StreamingHttpResponse:
    """
    Answer rows as a CSV file of some of their attributes, by the heading of each column.

    An attribute is dotted where it is another row's; where there is no such row, it is empty.
    """
    return stream_csv(
        filename=filename,
        columns=list(columns),
        rows=([_attribute(row, name) for name in columns.values()] for row in rows),
    )


def _attribute(row: object, dotted: str) -> object:
    value: Any = row
    for name in dotted.split("."):
        value = None if value is None else getattr(value, name)
    return value.isoformat() if isinstance(value, datetime) else value
