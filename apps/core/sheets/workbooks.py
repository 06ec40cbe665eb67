"""XLSX: the first sheet of a workbook that is neither a bomb nor a program."""

from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO
from lzma import LZMAError
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as DeflateError

from openpyxl import load_workbook

from apps.core.sheets.errors import UnreadableUpload
from apps.core.sheets.tables import MOST_COLUMNS, Cells, without_empty_end

LARGEST_UNPACKED = 16 * 1024 * 1024  # bytes; the file itself has 2 MB at most
MOST_PARTS = 200
PROGRAMS = ("vbaproject.bin", "macrosheets/", "activex/", "embeddings/")
ENCRYPTED = 0x1  # a bit of a part's flags
# What zipfile and the decompressors below it raise where a package is damaged.
BROKEN = (
    *(BadZipFile, DeflateError, LZMAError),
    *(NotImplementedError, EOFError, OSError, ValueError),
)


def read_workbook(data: bytes) -> Iterator[Cells]:
    """
    Yield the cells of each row of the first visible sheet, empty rows as well.

    A formula is its text, and never what some program last made of it.

    :raises UnreadableUpload: if it is no workbook, holds a program, or unpacks to too much.
    """
    check_package(data)
    try:
        book = load_workbook(BytesIO(data), read_only=True, keep_links=False)
        sheet = next(one for one in book.worksheets if one.sheet_state == "visible")
        sheet.reset_dimensions()  # what a file says of its size need not be so
        for row in sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True):
            yield without_empty_end(tuple(text_of(value) for value in row))
    except UnreadableUpload:
        raise
    except Exception as error:  # whatever openpyxl breaks on, it is the file that is broken
        raise _no_workbook() from error


def check_package(data: bytes) -> None:
    """
    Look at the parts of a workbook before any of them is read as one.

    :raises UnreadableUpload: if it is no workbook, holds a program, or unpacks to too much.
    """
    try:
        with ZipFile(BytesIO(data)) as package:
            parts = package.infolist()
            _check_parts(parts)
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    _check_markup(package.read(part))
    except BROKEN as error:
        raise _no_workbook() from error


def _check_parts(parts: list[ZipInfo]) -> None:
    names = {part.filename.lower() for part in parts}
    if any(program in name for name in names for program in PROGRAMS):
        raise UnreadableUpload(
            reason="macros",
            problem="The workbook holds macros or other programs. Save it as .xlsx without them.",
        )
    # A part is never read beyond the size that is said of it here.
    unpacked = sum(part.file_size for part in parts)
    if unpacked > LARGEST_UNPACKED or len(parts) > MOST_PARTS:
        raise UnreadableUpload(
            reason="too_large",
            problem="The workbook unpacks to more than it may. Copy the rows into a new one.",
        )
    is_encrypted = any(part.flag_bits & ENCRYPTED for part in parts)
    if is_encrypted or not {"[content_types].xml", "xl/workbook.xml"} <= names:
        raise _no_workbook()


def _check_markup(part: bytes) -> None:
    """Refuse what can make small markup large: no spreadsheet program writes it."""
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part or b"\0" in part:
        raise _no_workbook()


def _no_workbook() -> UnreadableUpload:
    return UnreadableUpload(
        reason="no_workbook",
        problem="This is no workbook that can be read. Save it as .xlsx, or as CSV UTF-8.",
    )


def text_of(value: object) -> str:
    """Return a cell's value as text, as a CSV of the same sheet would have it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, str | bool | int):
        return str(value).encode("utf-8", "replace").decode()
    return "="  # a formula that fills several cells: an object of openpyxl's


def _number(value: float) -> str:
    """Return a number so that nobody takes its three digits behind the point for thousands."""
    if value.is_integer():
        return str(int(value))
    text = str(value)
    part = text.partition(".")[2]
    return f"{text}0" if len(part) == 3 and part.isdigit() else text
