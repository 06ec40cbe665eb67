"""
All that is kept of a person, as a file for himself: asked for, made by a worker, downloaded.

A ZIP with one JSON array for each part that an app registers in `apps.core.personal`.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import timedelta
from tempfile import TemporaryFile
from typing import IO, Any

import structlog
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Q, QuerySet

from apps.core import personal, scope
from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.queue import enqueue
from apps.rbac.errors import ExportExpired
from apps.rbac.models import PersonalExport
from apps.tenants.models import User
from apps.tenants.services import audit

logger = structlog.get_logger(__name__)
KEPT = timedelta(days=7)
LEASE = timedelta(minutes=15)
MOST_ATTEMPTS = 5
BLOCK = 64 * 1024  # bytes
Status = PersonalExport.Status


@transaction.atomic
def request_export(*, user: User) -> PersonalExport:
    """Ask for the file; who has asked and waits gets the one that is being made."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    waiting = PersonalExport.objects.filter(user=locked, status=Status.WAITING).first()
    if waiting is not None:
        return waiting
    export = PersonalExport.objects.create(user=locked)
    audit.record(action="user.export_request", object_id=locked.public_id)
    enqueue("rbac.make_exports")
    return export


@transaction.atomic
def note_download(*, export: PersonalExport) -> PersonalExport:
    """
    Write down that the file is handed out.

    :raises ExportExpired: if it is there no more.
    """
    locked = PersonalExport.objects.select_for_update().get(pk=export.pk)
    is_over = locked.expires_at is None or locked.expires_at <= database_now()
    if locked.status != Status.READY or is_over:
        raise ExportExpired(days=KEPT.days)
    locked.downloads += 1
    locked.save(update_fields=["downloads"])
    audit.record(
        action="user.export_download",
        object_id=locked.user.public_id,
        after={"export": locked.public_id},
    )
    return locked


@outside_transaction
def make_exports(*, limit: int = 20) -> int:
    """Make what waits, and return how many files are ready. Safe to repeat, and at once."""
    made = 0
    for _ in range(limit):
        export = _claim()
        if export is None:
            break
        try:
            if export.attempts > MOST_ATTEMPTS or not export.user.is_active:
                _give_up(export)
            elif _make(export):
                made += 1
        except Exception:  # one file must not keep the others
            logger.exception("export_failed", export=str(export.pk))
    return made


def forget_exports_of(*, user: User) -> None:
    """Let the files of a person go; the workers delete them, and make no other."""
    his = PersonalExport.objects.filter(user=user)
    # Whoever works at one keeps his claim: it is given up after his last moment to save. These
    # come first, so that one that gets ready meanwhile is among the ready.
    his.filter(status=Status.WAITING).update(attempts=MOST_ATTEMPTS + 1)
    his.filter(status=Status.READY).update(expires_at=database_now())


@transaction.atomic
def _claim() -> PersonalExport | None:
    """Take one at which nobody works, for LEASE: a long one leaves the others to other workers."""
    now = database_now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    waiting = PersonalExport.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        free, status=Status.WAITING
    )
    export = waiting.select_related("user").order_by("created_at").first()
    if export is not None:
        export.attempts += 1
        export.claimed_until = now + LEASE
        export.save(update_fields=["attempts", "claimed_until"])
    return export


def _give_up(export: PersonalExport) -> None:
    """Leave nothing of what was tried; only then does the row tell that it is over."""
    _delete_files(export)
    _own(export).update(status=Status.FAILED, claimed_until=None)


def _make(export: PersonalExport) -> bool:
    """Write the file, then the row that shows it; without the row, the file goes again."""
    _delete_files(export)  # of workers that died after saving theirs
    everywhere = scope.every_organization("what is his, wherever it is")
    with everywhere, TemporaryFile() as file:
        rows = _write(export, file)
        size = file.tell()
        file.seek(0)
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
        file.seek(0)
        # Nothing is saved that nobody would look for: not by one who was overtaken.
        if not _wanted(export).update(claimed_until=database_now() + LEASE):
            return False
        name = default_storage.save(_name_of(export, export.attempts), File(file))
    now = database_now()
    is_kept = _wanted(export).update(
        status=Status.READY,
        progress=100,
        file=name,
        rows=rows,
        size=size,
        sha256=digest.digest(),
        ready_at=now,
        expires_at=now + KEPT,
        claimed_until=None,
    )
    if not is_kept:
        default_storage.delete(name)
    return bool(is_kept)


def _own(export: PersonalExport) -> QuerySet[PersonalExport]:
    """Return the row for as long as nobody has claimed it since, or made him forget it."""
    return PersonalExport.objects.filter(
        pk=export.pk, status=Status.WAITING, attempts=export.attempts
    )


def _wanted(export: PersonalExport) -> QuerySet[PersonalExport]:
    """Return the same, unless the person was erased meanwhile: he gets no file."""
    return _own(export).filter(user__is_active=True)


def _name_of(export: PersonalExport, attempt: int) -> str:
    """Return the file's name: another for each attempt, and known before there is a file."""
    return f"exports/{export.user_id}/{export.pk}-{attempt}.zip"


def _delete_files(export: PersonalExport) -> None:
    """Delete what any attempt may have saved, known to the row or not. Safe to repeat."""
    names = {_name_of(export, number) for number in range(1, export.attempts + 1)}
    for name in sorted(names | {str(export.file)} - {""}):
        default_storage.delete(name)


def _write(export: PersonalExport, file: IO[bytes]) -> int:
    """Write each part as a JSON array, row by row; return how many rows there were."""
    parts = personal.parts()
    total = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (part, collect) in enumerate(parts.items(), start=1):
            with archive.open(f"{part}.json", "w", force_zip64=True) as member:
                total += _write_rows(member, collect(export.user))
            PersonalExport.objects.filter(pk=export.pk).update(
                progress=min(99, number * 100 // len(parts))
            )
    return total


def _write_rows(member: IO[bytes], rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for row in rows:
        text = json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
        member.write((("[\n" if count == 0 else ",\n") + text).encode())
        count += 1
    member.write(b"\n]\n" if count else b"[]\n")
    return count


@outside_transaction
def delete_expired_exports(*, limit: int = 100) -> int:
    """Delete files past their date, and return how many. Safe to repeat, and at once."""
    due = PersonalExport.objects.filter(status=Status.READY, expires_at__lte=database_now())
    deleted = 0
    for export in list(due.order_by("expires_at")[:limit]):
        try:
            _delete_files(export)
        except Exception:  # one file must not keep the others
            logger.exception("export_not_deleted", export=str(export.pk))
            continue
        # Only now, since without its row nobody would look for the file any more.
        deleted += PersonalExport.objects.filter(pk=export.pk, status=Status.READY).update(
            status=Status.EXPIRED, file="", size=0
        )
    return deleted
