"""Files of members and credits: in any form, and damaged in any way."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from functools import partial
from io import BytesIO
from unittest import mock
from zipfile import ZIP_DEFLATED, ZipFile

from django.db import transaction
from django.utils import timezone

from apps.core.errors import DomainError
from apps.core.sheets import UnreadableUpload, workbooks
from apps.partners.models import MemberGroup, Partner, PartnerMember, Upload, UploadRow
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.uploads import checking, parsing
from apps.partners.services.uploads.carrying import carry_out
from apps.partners.services.uploads.confirming import confirm_upload
from apps.partners.services.uploads.storing import store_upload
from figures.lines import SEED, Report, scaled
from figures.partners_programmes import broken, fresh
from figures.partners_sheets import (
    GROUPS,
    KNOWN,
    Reading,
    Sheet,
    as_csv,
    make_sheet,
    sheets,
)
from tests.partners.awarding import in_pool
from tests.partners.programme import make_programme

FILES, CARRIED, DAMAGED = 1500, 60, 600
OF_CONTROL = 60  # files in which a broken rule must be noticed
POOL = 10**12  # credits
SHEET = "xl/worksheets/sheet1.xml"
LIES = (
    (b't="n"', b't="s"'),
    (b't="n"', b't="d"'),
    (b't="inlineStr"', b't="n"'),
    (b't="s"', b't="n"'),
    (b't="s"', b't="e"'),
    (b't="s"', b't="b"'),
    (b"<v>", b"<v>9999999"),
    (b"<v>", b"<v>-"),
    (b'r="A1"', b'r="XFD1048576"'),
    (b'<dimension ref="A1', b'<dimension ref="A1:XFD1048576"/><dimension ref="A1'),
    (b"<row", b"<row><row"),
    (b"</sheetData>", b""),
    (b"<sheetData>", b'<!DOCTYPE a [<!ENTITY b "b">]><sheetData>'),
)


def upload_fuzzed(report: Report) -> None:
    """Compare what is said of each row with a plain reader; then damage files."""
    with fresh():
        partner = make_known_programme()
        with report.figure("upload_fuzzed", asked=scaled(FILES) + scaled(CARRIED)) as figure:
            for sheet, data in sheets(random.Random(SEED), scaled(FILES)):
                figure.examined += 1
                figure.failures += differs(partner, sheet, data)
            for number in range(scaled(CARRIED)):
                figure.examined += 1
                figure.failures += not is_carried_out(partner, number)
            figure.failures += broken()
            noticed = {name: _is_noticed(partner, rule) for name, rule in BROKEN_RULES.items()}
            figure.control = "red" if all(noticed.values()) else "green"
            print(f"    noticed: {noticed}", flush=True)
        with report.figure("upload_damaged", asked=scaled(DAMAGED)) as figure:
            taken = 0
            for data in damaged(random.Random(SEED), scaled(DAMAGED)):
                said = answer_to(partner, data)
                figure.examined += 1
                figure.failures += said == "crash"
                taken += said == "taken"
            # Of a reader that refuses all, or takes all, this would show nothing.
            figure.failures += not 0 < taken < figure.examined
            print(f"    taken={taken} refused={figure.examined - taken - figure.failures}")
            figure.control = "red" if _is_crash_noticed(partner) else "green"


def make_known_programme() -> Partner:
    """Return a programme that knows some people and groups."""
    partner = make_programme(credits=POOL)
    groups = {
        name: MemberGroup.objects.create(
            organization=partner.organization, partner=partner, name=name
        )
        for name in GROUPS
    }
    people = [NewMember(email, name, "", groups.get(of)) for email, (name, of, _) in KNOWN.items()]
    add_members(partner=partner, people=people)
    for email, (_, _, status) in KNOWN.items():
        left_at = timezone.now() if status == "left" else None
        rows = PartnerMember.objects.filter(partner=partner, email=email)
        rows.update(status=status, left_at=left_at)
    return partner


def differs(partner: Partner, sheet: Sheet, data: bytes) -> bool:
    """Tell whether a file is taken for something else than by the plain reader, and show it."""
    with transaction.atomic():
        try:
            rows = read(store_upload(partner=partner, data=data))
        except DomainError as refusal:
            rows = [refusal]
        transaction.set_rollback(True)
    if rows == sheet.readings:
        return False
    _show(sheet, rows)
    return True


def read(upload: Upload) -> list[Reading]:
    """Return what each row was taken for."""
    rows = UploadRow.objects.filter(upload=upload).order_by("number")
    return [Reading(*one) for one in rows.values_list("number", "status", "email", "credits")]


def _show(sheet: Sheet, rows: list) -> None:
    for ours, plain in zip(rows, sheet.readings, strict=False):
        if ours != plain:
            line = sheet.lines[plain.number - 1]
            print(f"    {line!r} below {sheet.fields}: {ours}, and not {plain}", flush=True)
            return
    print(f"    {len(rows)} rows, and not {len(sheet.readings)}", flush=True)


def is_carried_out(partner: Partner, number: int) -> bool:
    """Carry out a file of new people; tell whether each has what his row says, and no other."""
    rng = random.Random(f"{SEED}:{number}")
    domain = f"carried-{number}.example"
    sheet = make_sheet(rng, only_new=domain)
    right = {one.email: one.credits for one in sheet.readings if one.status == "new"}
    before = in_pool(partner)
    upload = store_upload(partner=partner, data=as_csv(rng, sheet))
    if right:
        confirm_upload(upload=upload, mode=Upload.Mode.VALID, credits=sum(right.values()))
        carry_out(upload.pk)
    members = PartnerMember.objects.filter(partner=partner, email__endswith=f"@{domain}")
    has = {member.email: member.wallet.balance for member in members.select_related("wallet")}
    return has == right and before - in_pool(partner) == sum(right.values())


def damaged(rng: random.Random, count: int) -> Iterator[bytes]:
    """Yield files that break off, lie or hold what nobody can read."""
    for number, (_, data) in enumerate(sheets(rng, count)):
        is_workbook = data.startswith(b"PK")
        yield lying(rng, data) if is_workbook and number % 2 else hurt(rng, data)


def hurt(rng: random.Random, data: bytes) -> bytes:
    """Return a file that was cut, mixed up, or written by other rules."""
    place, other = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)
    noise = rng.choice([rng.randbytes(4), b"\0", b'"', b"\xff\xfe", b"\n\r\r\n", "\u2028".encode()])
    return rng.choice(
        [
            data[:place],
            data[place:],
            data[:place] + noise + data[place:],
            data[:place] + noise + data[place + len(noise) :],
            data[:place] + data[other:],
            data.decode("latin-1").encode("utf-16"),
            data + data,
            data * 200,
        ]
    )


def lying(rng: random.Random, data: bytes) -> bytes:
    """Return a workbook whose sheet says something untrue of itself, or misses a part."""
    before, after = rng.choice(LIES)
    missing = rng.choice([None, None, None, "xl/styles.xml", "xl/sharedStrings.xml", SHEET])
    file = BytesIO()
    with ZipFile(BytesIO(data)) as package, ZipFile(file, "w", ZIP_DEFLATED) as other:
        for part in package.infolist():
            if part.filename != missing:
                content = package.read(part)
                is_sheet = part.filename == SHEET
                other.writestr(part, content.replace(before, after) if is_sheet else content)
    return file.getvalue()


def answer_to(partner: Partner, data: bytes) -> str:
    """Give a file to the service: it is taken, or refused with something to say."""
    try:
        with transaction.atomic():
            store_upload(partner=partner, data=data)
            transaction.set_rollback(True)
    except UnreadableUpload as refusal:
        return "refused" if str(refusal) else "crash"
    except Exception as error:  # whatever it is, it is what is looked for here
        print(f"    {type(error).__name__}: {error}", flush=True)
        return "crash"
    return "taken"


def _is_crash_noticed(partner: Partner) -> bool:
    """Tell whether a damaged package that is no error of its own is noticed."""
    files = damaged(random.Random(SEED), OF_CONTROL)
    with mock.patch.object(workbooks, "BROKEN", ()), redirect_stdout(None):
        return any(answer_to(partner, data) == "crash" for data in files)


class Forgetful(dict):
    """Knows nothing of what it was told before."""

    def setdefault(self, key: str, value: object = None) -> object:
        """Return what is told now."""
        return value


def _is_noticed(partner: Partner, rule: Callable[[], AbstractContextManager[object]]) -> bool:
    with rule(), mock.patch(f"{__name__}._show"):
        files = sheets(random.Random(SEED), OF_CONTROL)
        return any(differs(partner, sheet, data) for sheet, data in files)


@contextmanager
def forgetting_rows_above() -> Iterator[None]:
    """Let an address in a second row be another one."""
    with mock.patch.object(checking, "Known", partial(checking.Known, seen=Forgetful())):
        yield


# What a slip of the pen could do to a rule; each must be noticed by the plain reader.
BROKEN_RULES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "addresses keep their case": lambda: mock.patch.object(parsing, "normalized", str.strip),
    "an address twice is two members": forgetting_rows_above,
    "a point is left out of a number": lambda: mock.patch.object(
        parsing, "credits_of", lambda text: int(text.replace(".", "").replace(",", ""))
    ),
}
