"""Keep a file as rows that were looked at; nothing is handed on until it is confirmed."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction

from apps.core.bulk import insert_many
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.core.sheets import Line
from apps.partners.errors.uploads import (
    InvalidUploadBatch,
    InvalidUploadMapping,
    TooManyUploads,
    UploadHasEnded,
)
from apps.partners.models import Campaign, Partner, Upload, UploadRow
from apps.partners.selectors.uploads import TO_DO
from apps.partners.services.programmes import lock_active
from apps.partners.services.sheets import NEEDED, Field, guessed_mapping, read_table
from apps.partners.services.uploads.checking import check_lines
from apps.partners.services.uploads.rows import write_rows
from apps.tenants.models import User
from apps.tenants.services import audit

LONGEST_BATCH = 100  # characters
MOST_OPEN = 20  # uploads of a programme that wait for somebody
KEPT_OPEN = timedelta(days=7)
OPEN = (Upload.Status.MAPPING, Upload.Status.PREVIEW)


@transaction.atomic
def store_upload(
    *,
    partner: Partner,
    data: bytes,
    filename: str = "",
    batch: str = "",
    mode: Upload.Mode = Upload.Mode.ALL,
    campaign: Campaign | None = None,
    by: User | None = None,
) -> Upload:
    """
    Read a file and keep its rows, with what each would do if its columns can be told apart.

    `batch` names what it is about: within a batch an address is given credits once. Without
    a name it is the file itself, by its SHA-256. Hands nothing on.

    :raises UnreadableUpload: if it is no table that can be read.
    :raises InvalidUploadBatch: if the name of the batch is too long.
    :raises PartnerSuspended: if staff have suspended the programme.
    :raises TooManyUploads: if too many wait to be confirmed or discarded.
    """
    table = read_table(data)
    digest, batch = sha256(data), batch.strip()
    locked = lock_active(partner)
    _check_room(locked, batch)
    upload = Upload(
        organization=locked.organization,
        partner=locked,
        uploaded_by=by,
        filename=filename[:200],
        size=len(data),
        sha256=digest.digest(),
        batch=batch or digest.hexdigest(),
        mode=mode,
        campaign=campaign,
        columns=list(table.columns),
        mapping=guessed_mapping(table.columns),
        row_count=len(table.lines),
    )
    upload.save(force_insert=True)
    _keep(upload, insert_many(_looked_at(upload, table.lines)))
    audit.record(
        action="partner.upload",
        organization=locked.organization,
        object_id=upload.public_id,
        after={"filename": upload.filename, "rows": upload.row_count},
    )
    return upload


def _check_room(partner: Partner, batch: str) -> None:
    if len(batch) > LONGEST_BATCH:
        raise InvalidUploadBatch(field="batch", most=LONGEST_BATCH)
    if Upload.objects.filter(partner=partner, status__in=OPEN).count() >= MOST_OPEN:
        raise TooManyUploads(most=MOST_OPEN)


@transaction.atomic
def map_columns(*, upload: Upload, mapping: Mapping[str, int]) -> Upload:
    """
    Say which column is what, by its place from 0, and look at every row again.

    :raises InvalidUploadMapping: if a field that is needed has no column, or two have one.
    :raises UploadHasEnded: if it was confirmed or discarded.
    """
    locked = lock_open(upload)
    locked.mapping = _checked(mapping, locked.columns)
    look_again(locked)
    return locked


@transaction.atomic
def refresh_preview(*, upload: Upload) -> Upload:
    """
    Look at every row again, since members and awards change.

    :raises UploadHasEnded: if it was confirmed or discarded.
    """
    locked = lock_open(upload)
    look_again(locked)
    return locked


@inside_transaction
def look_again(upload: Upload) -> None:
    """
    Write down what each row of a locked upload would do now, where that is something else.

    The rows are locked, so that who is erased meanwhile is taken out of them afterwards.
    """
    rows = UploadRow.objects.filter(upload=upload).order_by("number")
    kept = list(rows.select_for_update(no_key=True))
    looked_at = _looked_at(upload, [Line(row.number, tuple(row.cells)) for row in kept])
    changed = []
    for row, now in zip(kept, looked_at, strict=True):
        if _said_of(row) != (said := _said_of(now)):
            row.email, row.credits, row.status, row.errors, row.member_id, row.award_id = said
            changed.append(row)
    write_rows(changed)
    _keep(upload, looked_at)


@transaction.atomic
def discard_upload(*, upload: Upload) -> Upload:
    """
    Let go of an upload that was not confirmed, and of what its rows say of people.

    :raises UploadHasEnded: if it was confirmed; nothing happens if it was discarded before.
    """
    locked = lock_upload(upload)
    if locked.status == Upload.Status.DISCARDED:
        return locked
    _check_open(locked)
    UploadRow.objects.filter(upload=locked).delete()
    locked.status, locked.ended_at = Upload.Status.DISCARDED, workers_now()
    locked.save(update_fields=["status", "ended_at"])
    audit.record(
        action="partner.discard_upload",
        organization=locked.organization,
        object_id=locked.public_id,
    )
    return locked


def discard_forgotten(*, limit: int = 20) -> int:
    """Discard uploads that nobody confirmed in KEPT_OPEN; return how many."""
    before = workers_now() - KEPT_OPEN
    forgotten = Upload.objects.filter(status__in=OPEN, created_at__lt=before)
    found = list(forgotten.order_by("created_at")[:limit])
    discarded = 0
    for upload in found:
        with suppress(UploadHasEnded):  # confirmed a moment ago; the others are forgotten
            discard_upload(upload=upload)
            discarded += 1
    return discarded


@inside_transaction
def lock_open(upload: Upload) -> Upload:
    """
    Return an upload that can still be changed, locked after its programme.

    :raises PartnerSuspended: if staff have suspended the programme.
    :raises UploadHasEnded: if it was confirmed or discarded.
    """
    lock_active(upload.partner)
    locked = lock_upload(upload)
    _check_open(locked)
    return locked


@inside_transaction
def lock_upload(upload: Upload) -> Upload:
    """Return the upload as it is now, locked until the transaction ends."""
    rows = Upload.objects.select_for_update(no_key=True, of=("self",))
    fixed = rows.select_related("organization", "partner__organization", "campaign")
    locked: Upload = fixed.prefetch_related("confirmed_by").get(pk=upload.pk)
    return locked


def _check_open(upload: Upload) -> None:
    if upload.status not in OPEN:
        raise UploadHasEnded(upload_status=upload.get_status_display().lower())


def _looked_at(upload: Upload, lines: Sequence[Line]) -> list[UploadRow]:
    """Return rows, looked at if it is known where their addresses and credits are; not saved."""
    if all(needed in upload.mapping for needed in NEEDED):
        upload.status = Upload.Status.PREVIEW
        return check_lines(upload, lines).rows
    upload.status = Upload.Status.MAPPING
    return [
        UploadRow(
            organization_id=upload.organization_id,
            upload=upload,
            number=line.number,
            cells=list(line.cells),
        )
        for line in lines
    ]


def _said_of(row: UploadRow) -> tuple[Any, ...]:
    """Return what is written of a row when it is looked at."""
    return row.email, row.credits, row.status, row.errors, row.member_id, row.award_id


def _keep(upload: Upload, rows: Sequence[UploadRow]) -> None:
    """Keep what the rows of an upload come to."""
    upload.credits = sum(row.credits or 0 for row in rows if row.status in TO_DO)
    upload.save(update_fields=["status", "mapping", "credits"])


def _checked(mapping: Mapping[str, int], columns: Sequence[str]) -> dict[str, int]:
    known = {field.value for field in Field}
    for name in mapping:
        if name not in known:
            raise InvalidUploadMapping(
                field=name, problem=f"A column can be {', '.join(sorted(known))}."
            )
    for name, place in mapping.items():
        if not 0 <= place < len(columns):
            raise InvalidUploadMapping(
                field=name, problem=f"The file has the columns 0 to {len(columns) - 1}."
            )
        if list(mapping.values()).count(place) > 1:
            raise InvalidUploadMapping(field=name, problem="Two fields have the same column.")
    for needed in NEEDED:
        if needed not in mapping:
            raise InvalidUploadMapping(field=needed.value, problem="Choose the column that has it.")
    return {name: mapping[name] for name in sorted(mapping)}
