"""CSV in UTF-8, whatever separates its cells and ends its lines."""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice

from apps.core.sheets.errors import UnreadableUpload
from apps.core.sheets.tables import Cells, Vocabulary

SEPARATORS = ",;\t|"
LINES_TO_LOOK_AT = 20
SAID = re.compile(r'\A"?sep=(?P<separator>[,;\t|])"?(?:\r\n|\r|\n)', re.IGNORECASE)
WITH_NAMES = "UTF-8 (in Excel: Save as, CSV UTF-8)"


def read_delimited(data: bytes, words: Vocabulary) -> Iterator[Cells]:
    """
    Yield the cells of each record, empty ones as well: a record's place is its row's number.

    :raises UnreadableUpload: if the text is not UTF-8, or its quotes do not fit.
    """
    text = decoded(data)
    said = SAID.match(text)  # what Excel writes and reads before the header, and does not count
    if said:
        text = text[said.end() :]
    separator = said["separator"] if said else separator_of(text, words)
    records = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for record in records:
            yield tuple(record)
    except csv.Error as error:
        raise UnreadableUpload(
            reason="quotes",
            row=records.line_num,
            problem=f"Line {records.line_num} cannot be read. A value with quotes in it stands in"
            ' quotes, and its own are doubled: "Ada ""A."" Lovelace".',
        ) from error


def decoded(data: bytes) -> str:
    """
    Return the text of the file, without the mark that may stand before it.

    :raises UnreadableUpload: if it is not UTF-8.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise UnreadableUpload(
            reason="encoding", problem=f"The file is UTF-16 or no text. Save it as {WITH_NAMES}."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = len(re.findall(rb"\r\n|\r|\n", data[: error.start])) + 1
        raise UnreadableUpload(
            reason="encoding",
            row=row,
            problem=f"The file is not UTF-8: line {row} has the byte {data[error.start]:#04x}."
            f" Save it as {WITH_NAMES}, so that names keep their letters.",
        ) from error


def separator_of(text: str, words: Vocabulary) -> str:
    """Return the separator by which the header is understood best, or most cells are found."""
    return max(SEPARATORS, key=lambda separator: _understood(text, separator, words))


def _understood(text: str, separator: str, words: Vocabulary) -> tuple[int, int]:
    records = csv.reader(StringIO(text, newline=""), delimiter=separator)
    try:
        lines = list(islice(records, LINES_TO_LOOK_AT))
    except csv.Error:
        return (0, 0)
    return max(((len(words.recognised(line)), len(line)) for line in lines), default=(0, 0))
