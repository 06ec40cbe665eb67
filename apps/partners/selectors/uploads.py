"""Uploads of a programme: how far each is, and its rows as files to take away."""

from dataclasses import dataclass, field

from django.db.models import Count, F, QuerySet, Sum

from apps.core.sheets import FaultyRow, SheetFile, file_of_errors, with_notes
from apps.credits.selectors import balance_of, main_wallet
from apps.partners.models import Upload, UploadRow
from apps.tenants.models import Organization

ROWS_SHOWN = 50  # of all
WRONG_SHOWN = 200  # of those after them that are wrong: the page is asked for again and again
TO_DO = (UploadRow.Status.NEW, UploadRow.Status.CHANGED, UploadRow.Status.UNCHANGED)
WITH_FAULTS = (UploadRow.Status.WRONG, UploadRow.Status.FAILED)
ENDED = (*WITH_FAULTS, UploadRow.Status.REPEATED, UploadRow.Status.DONE)
TEMPLATE = (
    ["# Coffer members and credits (version 1)"],
    ["email", "first name", "last name", "group", "credits"],
    ["# ada@example.com", "Ada", "Lovelace", "", "10"],
)


@dataclass(frozen=True)
class Progress:
    """How many rows of an upload stand how, and how many credits they are about."""

    counts: dict[str, int]  # by status of the row, each of them
    credits: dict[str, int] = field(default_factory=dict)  # likewise

    def rows(self, *statuses: str) -> int:
        """Return how many rows stand so."""
        return sum(self.counts[status] for status in statuses)

    @property
    def faulty(self) -> int:
        """Rows that are wrong, or could not be done."""
        return self.rows(*WITH_FAULTS)

    @property
    def percent(self) -> int:
        """How far a confirmed upload is, from 0 to 100."""
        total = sum(self.counts.values())
        return self.rows(*ENDED) * 100 // total if total else 100


def uploads_of(organization: Organization) -> QuerySet[Upload]:
    """Return the organization's uploads, newest first."""
    rows = Upload.objects.filter(organization=organization)
    return rows.select_related("partner", "uploaded_by", "campaign").order_by("-created_at", "-id")


def progress_of(upload: Upload) -> Progress:
    """Return how far an upload is, in one query."""
    rows = UploadRow.objects.filter(upload=upload).order_by().values("status")
    found = {
        one["status"]: (one["rows"], one["sum"] or 0)
        for one in rows.annotate(rows=Count("id"), sum=Sum("credits"))
    }
    known = {status.value: found.get(status.value, (0, 0)) for status in UploadRow.Status}
    return Progress(
        {status: rows for status, (rows, _) in known.items()},
        {status: credits for status, (_, credits) in known.items()},
    )


def pool_left(upload: Upload) -> int:
    """Return how many credits the pool has that an upload is to be taken from."""
    return balance_of(main_wallet(upload.organization)).available


def rows_of(upload: Upload, status: str = "") -> QuerySet[UploadRow]:
    """Return the rows of an upload; `place` counts backwards, for pages that go on downwards."""
    rows = UploadRow.objects.filter(upload=upload).annotate(place=-F("number"))
    rows = rows.select_related("award", "member").order_by("number")
    return rows.filter(status=status) if status else rows


def rows_shown(upload: Upload) -> list[UploadRow]:
    """Return the first rows of an upload, and after them the first others that are wrong."""
    first = list(rows_of(upload)[:ROWS_SHOWN])
    last = first[-1].number if first else 0
    wrong = rows_of(upload).filter(status__in=WITH_FAULTS, number__gt=last)
    return [*first, *wrong[:WRONG_SHOWN]]


def result_of(upload: Upload) -> SheetFile:
    """Return all rows as they stood in the file, with what became of each."""
    rows = (with_notes(row.cells, upload.columns, _became(row)) for row in rows_of(upload))
    columns = [*upload.columns, "_row", "_status", "_award", "_error"]
    return SheetFile(f"{upload.public_id}-result.csv", columns, rows)


def errors_of(upload: Upload) -> SheetFile:
    """Return the rows that are wrong or could not be done, to be mended and uploaded again."""
    faulty = (
        FaultyRow(row.number, row.cells, row.problems)
        for row in rows_of(upload).filter(status__in=WITH_FAULTS)
    )
    return file_of_errors(f"{upload.public_id}-errors.csv", upload.columns, faulty)


def _became(row: UploadRow) -> list[object]:
    return [row.number, row.status, row.award.public_id if row.award else "", row.problems]
