"""
Read tables that people upload, and hand their rows out again. Knows nothing of the database.

What cannot be read is refused as a whole, with what to do about it; what a cell means, whoever
reads the table asks later, row by row. What columns are called, a `Vocabulary` says.
"""

from apps.core.sheets.delimited import read_delimited
from apps.core.sheets.errors import UnreadableUpload
from apps.core.sheets.files import FaultyRow, SheetFile, file_of_errors, problems_of, with_notes
from apps.core.sheets.tables import (
    LARGEST_FILE,
    MOST_ROWS,
    Cells,
    Fault,
    Line,
    Table,
    Vocabulary,
    cells_beyond,
    table_of,
)
from apps.core.sheets.workbooks import read_workbook

__all__ = [
    "LARGEST_FILE",
    "MOST_ROWS",
    "Cells",
    "Fault",
    "FaultyRow",
    "Line",
    "SheetFile",
    "Table",
    "UnreadableUpload",
    "Vocabulary",
    "cells_beyond",
    "file_of_errors",
    "problems_of",
    "read_table",
    "with_notes",
]

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"  # .xls, and every workbook with a password


def read_table(data: bytes, words: Vocabulary) -> Table:
    """
    Return the columns and rows of a CSV or XLSX file; what it is, its first bytes say.

    :raises UnreadableUpload: if it is too large, no table, or has no row.
    """
    if len(data) > LARGEST_FILE:
        raise UnreadableUpload(
            reason="too_large",
            problem=f"The file is larger than {LARGEST_FILE // 1024**2} MB. Divide it into two.",
        )
    if data.startswith(OLD_EXCEL):
        raise UnreadableUpload(
            reason="old_workbook",
            problem="This is an old Excel workbook, or one with a password. Save it as .xlsx"
            " without a password, or as CSV UTF-8.",
        )
    rows = read_workbook(data) if data.startswith(ZIP) else read_delimited(data, words)
    return table_of(rows, words)
