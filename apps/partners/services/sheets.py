"""What files of members and credits call their columns; apps.core.sheets reads them."""

from collections.abc import Sequence
from enum import StrEnum

from apps.core import sheets
from apps.core.sheets import Cells, Table, Vocabulary


class Field(StrEnum):
    """What a column can hold."""

    EMAIL = "email"
    CREDITS = "credits"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    GROUP = "group"


NEEDED = (Field.EMAIL, Field.CREDITS)


def _has_address(cells: Cells) -> bool:
    return any("@" in cell for cell in cells)


MEMBERS = Vocabulary(
    names={
        Field.EMAIL: frozenset(
            {"email", "mail", "emailaddress", "mailaddress", "employeeemail", "memberemail"}
        ),
        Field.CREDITS: frozenset(
            {"credits", "credit", "amount", "creditscount", "numberofcredits", "creditsassigned"}
        ),
        Field.FIRST_NAME: frozenset(
            {"firstname", "name", "givenname", "forename", "employeename", "membername"}
        ),
        Field.LAST_NAME: frozenset({"lastname", "surname", "familyname"}),
        Field.GROUP: frozenset({"group", "groupname", "team", "department"}),
    },
    template="Coffer members and credits",
    no_header="No row names the columns, and none has an address.",
    tells=Field.EMAIL,
    is_row=_has_address,
)


def read_table(data: bytes) -> Table:
    """
    Return the columns and rows of a CSV or XLSX file of members and credits.

    :raises UnreadableUpload: if it is too large, no table, or has no row.
    """
    return sheets.read_table(data, MEMBERS)


def guessed_mapping(columns: Sequence[str]) -> dict[str, int]:
    """Return for each field the column that has its name; one that two columns have is asked."""
    return MEMBERS.guessed_mapping(columns)
