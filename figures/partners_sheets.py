"""Files as people write them, with what a plain reader takes each of their rows for."""

import csv
import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO

from openpyxl import Workbook

MOST_ROWS = 10
HEADERS = {
    "email": ("email", "E-Mail", "MAIL", "employee_email", "Email address"),
    "credits": ("credits", "Amount", "CREDITS ASSIGNED", "number of credits"),
    "name": ("name", "First name", "employee-name", "givenName"),
    "group": ("group", "Team", "Department"),
}
CREDITS: dict[str, int | None] = {
    **{"5": 5, " 7 ": 7, "5.0": 5, "12.00": 12, "007": 7, "1,000": 1000, "12,345": 12345},
    **{"1 000": 1000, "1'000": 1000, "1\u202f000": 1000, "1,000.00": 1000, "999999": 999999},
    **dict.fromkeys(("", "0", "-5", "+5", "=2+3", "@5", "1.5", "5,0", "1.000", "1,00", "ten")),
    **dict.fromkeys(("1e3", "\u0665", "\uff15", "0x10", "1_000", "NaN", "5 credits", "1,000 000")),
    **dict.fromkeys(("1000000000000001", "=HYPERLINK(1)", "\u221e", "5;6", '5"')),
}
NO_ADDRESSES = (
    *("ada", "ada@", "@example.com", "ada@@example.com", "ada@example", "ada b@example.com"),
    *(
        "\u0430\u0434\u0430@example.com",
        "ada@example..com",
        "ada,eve@example.com",
        "=1+1",
        "x" * 300,
    ),
)
NAMES = (
    *("", "Ada", "O'Neill", "=1+1", "'=1+1", "+49 30", "-", "@SUM(A1)", "\t=1", "x" * 101),
    *("Ada;Eve", "Ada, Countess", 'Ada "A." L', "line\nbreak", "\u05d0\u05d3\u05d4", "\U0001f600"),
    *("\u202eada", "Zoe\u0308", "\ufeffAda", "a\u200bb", "null", "TRUE", "1.5", "%s%n", "${7*7}"),
)
# Who is known, as the figure makes them: address, first name, group, status.
KNOWN = {
    "zoe@known.example": ("Zo\u00eb", "Blue", "invited"),
    "max@b\u00fccher.example": ("Max", "", "invited"),
    "eve@known.example": ("Eve", "", "suspended"),
    "ida@known.example": ("Ida", "", "left"),
}
GROUPS = ("Blue", "Gr\u00fcn")


@dataclass(frozen=True)
class Reading:
    """What a row is taken for."""

    number: int  # as a spreadsheet counts
    status: str
    email: str
    credits: int | None


@dataclass
class Sheet:
    """A file, and what its rows are to a plain reader."""

    lines: list[list[str]]
    fields: Sequence[str]  # in the order of columns
    readings: list[Reading] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def read(self, cells: Sequence[str], means: str | None) -> None:
        """Take one more line for what it is; `means` is the address, if it is one."""
        self.lines.append(list(cells))
        said = dict(zip(self.fields, [*cells, "", "", "", ""], strict=False))
        credits = CREDITS.get(said["credits"])
        means = means if said["email"] else None
        is_wrong = len(cells) > len(self.fields) or means is None or credits is None
        is_wrong |= means in self.seen or len(plain(said.get("name", ""))) > 100
        group = plain(said.get("group", ""))
        known = {one.lower() for one in GROUPS}
        is_wrong |= bool(group) and group.lower() not in known
        is_wrong |= KNOWN.get(means or "", ("", "", ""))[2] == "suspended"
        status = "wrong" if is_wrong else _standing(means or "", said.get("name", ""), group)
        self.seen.add(means or "")
        self.readings.append(Reading(len(self.lines), status, means or "", credits))


def _standing(email: str, name: str, group: str) -> str:
    first_name, its_group, status = KNOWN.get(email, ("", "", "left"))
    if status == "left":
        return "new"
    is_other = plain(name) not in ("", first_name) or group.lower() not in ("", its_group.lower())
    return "changed" if is_other else "unchanged"


def plain(text: str) -> str:
    """Return a text without the mark that escapes a formula, in one form, on one line."""
    is_escaped = text[:1] == "'" and text[1:2] in tuple("=+-@\t\r")
    return " ".join(unicodedata.normalize("NFC", text[is_escaped:]).split())


def make_sheet(rng: random.Random, *, only_new: str = "") -> Sheet:
    """Return a file; with `only_new`, its valid addresses are of that domain alone."""
    fields = ["email", "credits", *rng.sample(["name", "group"], rng.randint(0, 2))]
    rng.shuffle(fields)
    sheet = Sheet([], fields)
    if rng.random() < 0.2:
        sheet.lines.append(["Our members"])
    sheet.lines.append([rng.choice(HEADERS[one]) for one in fields])
    for number in range(rng.randint(1, MOST_ROWS)):
        if rng.random() < 0.1:
            sheet.lines.append(rng.choice([[], ["", " "], ["# a note", "x"]]))
        text, means = _address(rng, only_new or "new.example", number)
        said = {
            "email": text,
            "credits": rng.choice(list(CREDITS)) if rng.random() < 0.5 else "5",
            "name": rng.choice(NAMES),
            "group": rng.choice(["", "", "blue", " Gru\u0308n ", "Red", "=Blue"]),
        }
        cells = [said[one] for one in fields]
        dice = rng.random()
        if dice < 0.05:
            cells.append("beyond")
        elif dice < 0.1 and fields[0] == "email":
            cells = cells[:1]
        sheet.read(cells, means)
    return sheet


def _address(rng: random.Random, domain: str, number: int) -> tuple[str, str | None]:
    """Return an address as somebody wrote it, and how it is kept, if it is one."""
    if rng.random() < 0.2:
        return rng.choice(NO_ADDRESSES), None
    if "known" not in domain and domain == "new.example" and rng.random() < 0.4:
        means = rng.choice(list(KNOWN))
    else:
        local = rng.choice([f"p{number}", f"p{number}+tag", f"p.{number}", "p1", f"=p{number}"])
        means = f"{local}@{domain}"
    changes = (str.upper, str.title, lambda one: f"  {one} ", lambda one: f"\u00a0{one}", str)
    text = unicodedata.normalize(rng.choice(["NFC", "NFD"]), rng.choice(changes)(means))
    return (f"'{text}" if text.startswith("=") else text), means


def as_csv(rng: random.Random, sheet: Sheet) -> bytes:
    """Write it as some program would: any separator, line end and mark."""
    separator, end = rng.choice(",;\t|"), rng.choice(["\n", "\r\n", "\r"])
    text = StringIO()
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(
        sheet.lines
    )
    said = f"sep={separator}{end}" if rng.random() < 0.1 else ""
    return (said + text.getvalue()).encode(rng.choice(["utf-8", "utf-8-sig"]))


def as_xlsx(rng: random.Random, sheet: Sheet) -> bytes:
    """Write it as a workbook, whole numbers as numbers or as texts."""
    book = Workbook()
    for line in sheet.lines:
        book.active.append([_typed(rng, cell) for cell in line])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _typed(rng: random.Random, cell: str) -> str | int | float:
    is_whole = cell.isascii() and cell.isdigit() and cell == str(int(cell))
    return rng.choice([int(cell), float(cell), cell]) if is_whole else cell


def sheets(rng: random.Random, count: int) -> Iterator[tuple[Sheet, bytes]]:
    """Yield so many files, one in four a workbook."""
    for _ in range(count):
        sheet = make_sheet(rng)
        yield sheet, (as_xlsx if rng.random() < 0.25 else as_csv)(rng, sheet)
