"""The same file again: three times, from several tabs at once, and with workers that die on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from unittest import mock

from apps.core import ids
from apps.partners.errors.uploads import UploadChanged, UploadHasNothing
from apps.partners.models import Partner, PartnerMember, Upload
from apps.partners.services.uploads import carrying, checking
from apps.partners.services.uploads.carrying import carry_out
from apps.partners.services.uploads.confirming import confirm_upload
from apps.partners.services.uploads.storing import store_upload
from figures.lines import SCALE, Figure, Report, scaled
from figures.partners_programmes import broken, file_of, fresh
from tests.partners.awarding import in_pool
from tests.partners.programme import make_programme
from tests.races.crashes import dies_after
from tests.races.racing import at_once

TIMES, TABS = 3, 6
FILES = 30
ROWS, BATCH = 12, 4  # of a file, and of one transaction where it is not all or nothing
DEATHS = 100
STRIDE = max(1, round(1 / SCALE))  # statements between two deaths, in a smaller run
POOL = 1_000_000  # credits
SMALL_STEPS = {"BATCH": BATCH, "LEASE": timedelta(0)}  # and nobody waits for the dead


@dataclass(frozen=True)
class Sheet:
    """A file of people whom a programme does not know yet."""

    partner: Partner
    rows: dict[str, int]  # credits by address

    def store(self) -> Upload:
        """Upload it once more."""
        return store_upload(partner=self.partner, data=file_of(list(self.rows.items())))

    def confirmed(self, mode: Upload.Mode) -> Upload:
        """Upload it once more, and confirm it."""
        stored = self.store()
        return confirm_upload(upload=stored, mode=mode, credits=stored.credits)

    def carry_out(self, mode: Upload.Mode) -> None:
        """
        Do all that one tab does, and its worker.

        It is told so if nothing is left to do, or less than it saw, because others were quicker.
        """
        with suppress(UploadHasNothing, UploadChanged):
            carry_out(self.confirmed(mode).pk)

    def is_awarded_once(self) -> bool:
        """Tell whether everybody has what his row says, and the pool as much less."""
        members = PartnerMember.objects.filter(partner=self.partner).select_related("wallet")
        has = {member.email: member.wallet.balance for member in members}
        return has == self.rows and in_pool(self.partner) == POOL - sum(self.rows.values())


def make_sheet() -> Sheet:
    """Return a file for a programme of its own."""
    return Sheet(
        make_programme(credits=POOL),
        {f"row-{number}@example.com": 10 + number for number in range(ROWS)},
    )


def same_upload_thrice(report: Report) -> None:
    """Repeat an upload in each way in which it can be repeated."""
    with fresh(), mock.patch.multiple(carrying, **SMALL_STEPS):
        asked = scaled(FILES) * len(WAYS)
        with report.figure("same_upload_thrice", asked=asked) as figure:
            for name, repeat in WAYS.items():
                doubled = _repeated(repeat, scaled(FILES))
                print(f"    {name}: {doubled} files with another effect than one", flush=True)
                figure.examined += scaled(FILES)
                figure.failures += doubled
            figure.failures += broken()
            with without_the_key_of_a_row():
                figure.control = "red" if _repeated(confirmed_in_tabs, 2) == 2 else "green"
        with report.figure("same_upload_of_dead_workers", asked=scaled(DEATHS)) as figure:
            for mode in Upload.Mode:
                _die_everywhere(mode, STRIDE, figure)
            figure.failures += broken()
            without = Figure("control", asked=1)
            with without_the_key_of_a_row():
                _die_everywhere(Upload.Mode.ALL, STRIDE * 8, without)
            figure.control = "red" if without.failures else "green"
            print(f"    without the key of a row: {without.failures} of {without.examined} wrong")


def _repeated(repeat: Callable[[Sheet, Upload.Mode], None], files: int) -> int:
    """Repeat the uploads of so many files; return how many had not exactly one effect."""
    wrong = 0
    for number in range(files):
        sheet = make_sheet()
        repeat(sheet, list(Upload.Mode)[number % 2])
        wrong += not sheet.is_awarded_once()
    return wrong


def one_after_the_other(sheet: Sheet, mode: Upload.Mode) -> None:
    """Upload it three times."""
    for _ in range(TIMES):
        sheet.carry_out(mode)


def all_at_once(sheet: Sheet, mode: Upload.Mode) -> None:
    """Upload, confirm and carry it out in several tabs at one moment."""
    at_once([lambda: sheet.carry_out(mode)] * TABS)


def confirmed_in_tabs(sheet: Sheet, mode: Upload.Mode) -> None:
    """Confirm it in several tabs, and let two workers carry out each of them at one moment."""
    uploads = [sheet.confirmed(mode) for _ in range(TIMES)]
    at_once([partial(carry_out, one.pk) for one in uploads * 2])


WAYS = {
    "three times": one_after_the_other,
    "all at once": all_at_once,
    "confirmed, and then at once": confirmed_in_tabs,
}


def _die_everywhere(mode: Upload.Mode, stride: int, figure: Figure) -> None:
    """Let a worker die after each of its statements, and others go on with three uploads."""
    for statement in count(1, stride):
        sheet = make_sheet()
        uploads = [sheet.confirmed(mode) for _ in range(TIMES)]
        is_dead = dies_after(statement, partial(carry_out, uploads[0].pk))
        at_once([partial(carry_out, one.pk) for one in uploads])
        figure.failures += not sheet.is_awarded_once()
        figure.examined += is_dead
        if not is_dead:
            return


@contextmanager
def without_the_key_of_a_row() -> Iterator[None]:
    """Give each row a key of its own whenever it is carried out, as where it has none."""

    def anew(batch: str, email: str) -> str:
        return f"upload:{ids.new_id()}"

    with mock.patch.object(checking, "key_of", anew), mock.patch.object(carrying, "key_of", anew):
        yield
