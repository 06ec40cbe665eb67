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
from uuid import UUID

import structlog
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F, Q

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
    for export_id in _claim(limit):
        try:
            _make(PersonalExport.objects.select_related("user").get(pk=export_id))
            made += 1
        except Exception:  # one file must not keep the others
            logger.exception("export_failed", export=str(export_id))
    return made


@transaction.atomic
def _claim(limit: int) -> list[UUID]:
    """Take what nobody works at; what failed too often is given up."""
    now = database_now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    waiting = PersonalExport.objects.select_for_update(skip_locked=True).filter(
        free, status=Status.WAITING
    )
    ids = [one.pk for one in waiting.order_by("created_at")[:limit]]
    claimed = PersonalExport.objects.filter(pk__in=ids)
    claimed.filter(attempts__gte=MOST_ATTEMPTS).update(status=Status.FAILED)
    todo = claimed.filter(status=Status.WAITING)
    todo.update(claimed_until=now + LEASE, attempts=F("attempts") + 1)
    return list(todo.values_list("pk", flat=True))


def _make(export: PersonalExport) -> None:
    """Write the file, then the row that shows it; without the row, the file goes again."""
    everywhere = scope.every_organization("what is his, wherever it is")
    with everywhere, TemporaryFile() as file:
        rows = _write(export, file)
        size = file.tell()
        file.seek(0)
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
        file.seek(0)
        name = default_storage.save(f"exports/{export.user_id}/{export.pk}.zip", File(file))
    now = database_now()
    # Only while he waits: who was erased meanwhile gets no file.
    is_kept = PersonalExport.objects.filter(
        pk=export.pk, status=Status.WAITING, user__is_active=True
    ).update(
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


def delete_expired_exports(*, limit: int = 100) -> int:
    """Delete files past their date, and return how many. Safe to repeat, and at once."""
    with transaction.atomic():
        due = list(
            PersonalExport.objects.select_for_update(skip_locked=True)
            .filter(status=Status.READY, expires_at__lte=database_now())
            .order_by("expires_at")[:limit]
        )
        names = [str(one.file) for one in due]
        PersonalExport.objects.filter(pk__in=[one.pk for one in due]).update(
            status=Status.EXPIRED, file="", size=0
        )
    for name in names:
        default_storage.delete(name)
    return len(names)
