"""What the cells of one row mean, and what is wrong with them. Asks nobody."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from apps.core.sheets import Fault, cells_beyond
from apps.core.sheets.numbers import whole_of
from apps.partners.models.addresses import normalized
from apps.partners.services.award_checks import LARGEST_AWARD
from apps.partners.services.sheets import Field

LONGEST_NAME = 100  # characters


@dataclass
class Parsed:
    """What a row says, as far as it can be understood."""

    email: str = ""
    credits: int | None = None
    first_name: str = ""
    last_name: str = ""
    group: str = ""
    faults: list[Fault] = field(default_factory=list)


def parse_row(cells: Sequence[str], columns: Sequence[str], mapping: Mapping[str, int]) -> Parsed:
    """Return what the cells mean, in the columns that the mapping names."""
    parsed = Parsed()

    def fault(of: Field, code: str, message: str) -> None:
        column, value = columns[mapping[of]], cells[mapping[of]]
        parsed.faults.append(Fault(column, value, code, message))

    parsed.faults.extend(cells_beyond(cells, columns))
    try:
        parsed.email = normalized(cells[mapping[Field.EMAIL]])
    except ValueError as error:
        fault(Field.EMAIL, "invalid_address", str(error))
    try:
        parsed.credits = credits_of(cells[mapping[Field.CREDITS]])
    except ValueError as error:
        fault(Field.CREDITS, "invalid_credits", str(error))
    for name in (Field.FIRST_NAME, Field.LAST_NAME, Field.GROUP):
        if name not in mapping:
            continue
        text = plain(cells[mapping[name]])
        if len(text) > LONGEST_NAME:
            fault(name, "too_long", f"This has {LONGEST_NAME} characters at most.")
        else:
            setattr(parsed, name.value, text)
    return parsed


def plain(text: str) -> str:
    """Return a name in one form of Unicode, on one line, without space around it."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def credits_of(text: str) -> int:
    """
    Return the whole number of credits that a cell says.

    :raises ValueError: if it says none, or could mean two; the message says what to write.
    """
    if not text.strip():
        raise ValueError("Write how many credits the member gets, as a whole number.")
    credits = whole_of(text)
    if not 1 <= credits <= LARGEST_AWARD:
        raise ValueError(f"Credits are from 1 to {LARGEST_AWARD:,}.")
    return credits
