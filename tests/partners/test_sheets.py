"""Files as programs and people write them: what is read, and what is refused with advice."""

import csv
from io import BytesIO, StringIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from apps.core.exports import safe_cell
from apps.core.sheets import LARGEST_FILE, MOST_ROWS, UnreadableUpload, workbooks
from apps.partners.models.addresses import normalized
from apps.partners.services.sheets import guessed_mapping, read_table
from apps.partners.services.uploads.parsing import credits_of, parse_row

ADA = ("ada@example.com", "Ada", "5")
HEADER = ("email", "name", "credits")


def as_csv(*rows, separator=",", end="\n", encoding="utf-8") -> bytes:
    text = StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(*rows) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def refusal(data: bytes) -> UnreadableUpload:
    with pytest.raises(UnreadableUpload) as refused:
        read_table(data)
    return refused.value


# How fast a machine is decides nothing here, and every run has the same examples.
STEADY = settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@STEADY
@given(
    names=st.lists(CELLS, min_size=1, max_size=4),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
)
def test_a_table_is_read_whatever_separates_it(names, separator, end, encoding):
    rows = [("ada@example.com", safe_cell(name), "5") for name in names]
    table = read_table(as_csv(HEADER, *rows, separator=separator, end=end, encoding=encoding))
    assert table.columns == HEADER
    assert [line.cells for line in table.lines] == [
        ("ada@example.com", name, "5") for name in map(read_back, names)
    ]
    assert [line.number for line in table.lines] == list(range(2, len(names) + 2))


def read_back(name: str) -> str:
    """An apostrophe before a formula is how its text is written, whoever wrote it."""
    return name[1:] if name[0] == "'" and name[1:2] in set("=+-@") else name


@STEADY
@given(CELLS)
def test_what_is_written_for_a_spreadsheet_is_read_as_it_was(name):
    written = as_csv(("email", "name"), (safe_cell("ada@example.com"), safe_cell(name)))
    (line,) = read_table(written).lines
    assert not isinstance(safe_cell(name), str) or not safe_cell(name).startswith(tuple("=+-@"))
    assert line.cells[1] == read_back(name)


@STEADY
@given(st.emails(), st.sampled_from([str.upper, str.lower, str.title]))
def test_an_address_is_one_however_it_is_written(email, change):
    try:
        expected = normalized(email)
    except ValueError:
        return  # what mail cannot be sent to by Django's rules
    cells = [f" {change(email)} ", "1"]
    assert parse_row(cells, ["e", "c"], {"email": 0, "credits": 1}).email == expected


@pytest.mark.parametrize(
    ("text", "credits"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("5.0", 5),
        ("5.00", 5),
        ("007", 7),
        ("1,000", 1000),
        ("1 000", 1000),
        ("1\u202f000\u202f000", 1_000_000),
        ("1'000", 1000),
        ("1,000.00", 1000),
        ("1000000000000000", 10**15),
    ],
)
def test_a_number_of_credits_can_be_written_in_many_ways(text, credits):
    assert credits_of(text) == credits


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "whole number"),
        ("0", "from 1"),
        ("-5", "formula or has a sign"),
        ("+5", "formula or has a sign"),
        ("=2+3", "formula or has a sign"),
        ("1.5", "no whole number"),
        ("5,0", "no whole number"),
        ("1,00", "no whole number"),
        ("1,000 000", "no whole number"),
        ("1.000", "Write 1000 or 1."),
        ("ten", "in digits"),
        ("1e3", "in digits"),
        ("\u0665", "in digits"),
        ("1000000000000001", "from 1"),
    ],
)
def test_what_is_no_number_of_credits_is_told_what_to_write(text, advice):
    with pytest.raises(ValueError, match=advice):
        credits_of(text)


def test_columns_are_found_by_their_names():
    table = read_table(as_csv(("First Name", "E-Mail", "AMOUNT", "Cost"), ("Ada", "a@b.cd", "1")))
    assert guessed_mapping(table.columns) == {"email": 1, "credits": 2, "first_name": 0}
    assert table.lines[0].cells == ("Ada", "a@b.cd", "1", "")
    assert guessed_mapping(["mail", "email", "credits"]) == {"credits": 2}


def test_comments_and_empty_rows_are_left_out_and_counted():
    data = (
        b"# Coffer members and credits (version 1)\nemail,credits\n\n# like this,1\na@b.cd,1\n,\n"
    )
    (line,) = read_table(data).lines
    assert (line.number, line.cells) == (5, ("a@b.cd", "1"))
    assert refusal(data.replace(b"version 1", b"version 2")).details["reason"] == "template_version"


def test_a_file_of_errors_can_be_uploaded_as_it_is():
    data = as_csv(("email", "_error", "credits"), ("a@b.cd", "no whole number", "5"))
    table = read_table(data)
    assert (table.columns, table.lines[0].cells) == (("email", "credits"), ("a@b.cd", "5"))


def test_what_excel_says_of_the_separator_is_no_row():
    (line,) = read_table(b"sep=;\r\nemail;credits\r\na@b.cd;1\r\n").lines
    assert (line.number, line.cells) == (2, ("a@b.cd", "1"))


def test_a_file_without_header_begins_with_its_first_member():
    table = read_table(as_csv(("ada@example.com", "5"), ("eve@example.com", "6")))
    assert table.columns == ("Column 1", "Column 2")
    assert [line.number for line in table.lines] == [1, 2]


def test_a_header_in_other_words_is_the_row_above_the_first_address():
    table = read_table(as_csv(("Adresse", "Betrag"), ADA[::2]))
    assert (table.columns, len(table.lines)) == (("Adresse", "Betrag"), 1)
    assert guessed_mapping(table.columns) == {}


def test_cells_beyond_the_header_are_kept_so_that_the_row_is_wrong():
    (line,) = read_table(as_csv(("email", "credits"), ("a@b.cd", "1", "000"))).lines
    parsed = parse_row(line.cells, ["email", "credits"], {"email": 0, "credits": 1})
    assert [fault.code for fault in parsed.faults] == ["too_many_cells"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n\n", "empty"),
        (b"email,credits\n", "empty"),
        (b"Adresse,Betrag\nAda,5\n", "no_header"),
        (as_csv(HEADER, ADA, encoding="utf-16"), "encoding"),
        (as_csv(HEADER, ADA, encoding="utf-16-le"), "encoding"),
        (as_csv(HEADER, ("ada@example.com", "Zo\u00eb", "5"), encoding="latin-1"), "encoding"),
        (b'email,credits\n"ada@example.com,5\n', "quotes"),
        (b'email,credits\n"ada"x,5\n', "quotes"),
        (b"email,credits\n" + b"a@b.cd,1\n" * (MOST_ROWS + 1), "too_many_rows"),
        (b"email,credits\n" + b"\n" * (4 * MOST_ROWS), "too_many_rows"),
        (b"email" + b",x" * 50, "too_many_columns"),
        (b"email,name\na@b.cd," + b"x" * 1001, "too_long"),
        (b"x" * (LARGEST_FILE + 1), "too_large"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "old_workbook"),
        (b"PK\x03\x04 no workbook", "no_workbook"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(data, reason):
    assert refusal(data).details["reason"] == reason


def test_a_byte_that_is_no_utf_8_is_found_in_its_row():
    error = refusal(b"email,name,credits\r\na@b.cd,Zo\xeb,1\r\n")
    assert (error.details["row"], "line 2 has the byte 0xeb" in str(error)) == (2, True)


def test_as_many_rows_as_may_be_are_read():
    assert len(read_table(b"email,credits\n" + b"a@b.cd,1\n" * MOST_ROWS).lines) == MOST_ROWS


class TestWorkbooks:
    def test_a_workbook_says_what_a_csv_of_it_would(self):
        table = read_table(as_xlsx(HEADER, (), ("ada@example.com", "Ada", 5.0)))
        (line,) = table.lines
        assert (table.columns, line.number, line.cells) == (HEADER, 3, ADA)

    def test_a_formula_is_its_text(self):
        (line,) = read_table(as_xlsx(HEADER, ("ada@example.com", "Ada", "=2+3"))).lines
        assert line.cells[2] == "=2+3"

    def test_a_cell_far_away_is_too_many_columns(self):
        row = ("ada@example.com", *("" for _ in range(49)), "far")
        assert refusal(as_xlsx(HEADER, row)).details["reason"] == "too_many_columns"

    @pytest.mark.parametrize(
        ("parts", "reason"),
        [
            ({"xl/vbaProject.bin": "x"}, "macros"),
            ({"xl/embeddings/sheet.bin": "x"}, "macros"),
            ({"xl/worksheets/sheet2.xml": "<!DOCTYPE a [<!ENTITY b 'b'>]><a/>"}, "no_workbook"),
            ({"xl/worksheets/sheet2.xml": "<a/>".encode("utf-16")}, "no_workbook"),
            ({f"xl/{number}.xml": "<a/>" for number in range(200)}, "too_large"),
        ],
    )
    def test_a_workbook_with_more_than_cells_is_refused(self, parts, reason):
        data = BytesIO(as_xlsx(HEADER, ADA))
        with ZipFile(data, "a", ZIP_DEFLATED) as package:
            for name, text in parts.items():
                package.writestr(name, text)
        assert refusal(data.getvalue()).details["reason"] == reason

    def test_a_bomb_is_not_unpacked(self, monkeypatch):
        data = BytesIO(as_xlsx(HEADER, ADA))
        with ZipFile(data, "a", ZIP_DEFLATED) as package:
            package.writestr("xl/large.xml", b" " * (workbooks.LARGEST_UNPACKED + 1))
        monkeypatch.setattr(workbooks, "_check_markup", None)  # a part that is read would fail
        assert len(data.getvalue()) < LARGEST_FILE
        assert refusal(data.getvalue()).details["reason"] == "too_large"

    def test_a_package_that_is_no_workbook_is_refused(self):
        data = BytesIO()
        with ZipFile(data, "w") as package:
            package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        assert refusal(data.getvalue()).details["reason"] == "no_workbook"

    def test_a_workbook_whose_sheet_is_broken_is_refused(self):
        whole, broken = BytesIO(as_xlsx(HEADER, ADA)), BytesIO()
        with ZipFile(whole) as package, ZipFile(broken, "w") as other:
            for part in package.infolist():
                is_sheet = part.filename == "xl/worksheets/sheet1.xml"
                other.writestr(part, b"<worksheet" if is_sheet else package.read(part))
        assert refusal(broken.getvalue()).details["reason"] == "no_workbook"

    @pytest.mark.parametrize("method", [ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
    def test_a_workbook_whose_part_cannot_be_unpacked_is_refused(self, method):
        file = BytesIO()
        with ZipFile(BytesIO(as_xlsx(HEADER, ADA))) as package, ZipFile(file, "w", method) as other:
            for name in package.namelist():
                other.writestr(name, package.read(name))
            first = other.infolist()[0]
        begins = first.header_offset + 30 + len(first.filename) + 9  # behind LZMA's own header
        data = file.getvalue()
        broken = data[:begins] + b"\xff" * 50 + data[begins + 50 :]
        assert refusal(broken).details["reason"] == "no_workbook"
