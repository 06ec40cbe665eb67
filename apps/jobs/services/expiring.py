"""Files have an end: delete what is past its date, and compare what is left with the rows."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from botocore.exceptions import ClientError
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.clock import database_now
from apps.jobs.models import BlobUpload, GenerationArea
from apps.jobs.models.jobs import UNFINISHED
from apps.jobs.services.uploads import let_go
from apps.tenants.services import audit

logger = structlog.get_logger(__name__)
FOLDERS = ("uploads", "results")
YOUNG = timedelta(days=1)  # a file is older than its row: the row may be on its way


def delete_expired_uploads(*, limit: int = 100) -> int:
    """
    Delete pictures that are past their date and that no unfinished job needs; return how many.

    Whoever calls this at the same time takes others.
    """
    needed = GenerationArea.objects.filter(upload=OuterRef("pk"), status__in=UNFINISHED)
    with transaction.atomic():
        due = (
            BlobUpload.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(~Exists(needed), expires_at__lte=Now())
            .order_by("expires_at")[:limit]
        )
        gone = let_go(list(due))
    for upload in gone:
        default_storage.delete(str(upload.file))
    return len(gone)


def delete_expired_results(*, limit: int = 100) -> int:
    """Delete results that are past their date; return how many. Safe to call at once."""
    with transaction.atomic():
        due = GenerationArea.objects.select_for_update(
            skip_locked=True, no_key=True, of=("self",)
        ).filter(result_expires_at__lte=Now(), result_gone_at=None)
        gone = list(due.order_by("result_expires_at")[:limit])
        GenerationArea.objects.filter(pk__in=[area.pk for area in gone]).update(
            result_gone_at=Now()
        )
    for area in gone:
        default_storage.delete(str(area.result))
    return len(gone)


@dataclass
class Comparison:
    """What does not fit: files without a row, and rows without a file."""

    files: int = 0  # how many were looked at
    orphans: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # upl_… and area_…


def compare_files(*, is_dry_run: bool = False) -> Comparison:
    """
    Delete files that have no row, and mark what has lost its file; or only tell.

    One organization after the other is in memory. Safe to call at once, and to break off.
    """
    found = Comparison()
    for folder in FOLDERS:
        for organization_id in sorted(_organizations_in(folder)):
            _compare(folder, organization_id, found, is_dry_run=is_dry_run)
    return found


def _rows(folder: str) -> QuerySet[Any]:
    """Return the rows whose files are in a folder."""
    if folder == "uploads":
        return BlobUpload.objects.annotate(stored=F("file"))
    results = GenerationArea.objects.exclude(result="").filter(result_gone_at=None)
    return results.annotate(stored=F("result"))


def _organizations_in(folder: str) -> set[UUID]:
    """Return whose files or rows there are; a folder that is named otherwise is none of ours."""
    found = set(_rows(folder).order_by().values_list("organization_id", flat=True).distinct())
    for name in _listed(folder)[0]:
        try:
            found.add(UUID(name))
        except ValueError:
            logger.warning("folder_not_ours", folder=folder, name=name)
    return found


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """Return the folders and the files in a folder."""
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:  # so is a folder on a disk before its first file
        return [], []


def _compare(folder: str, organization_id: UUID, found: Comparison, *, is_dry_run: bool) -> None:
    place = f"{folder}/{organization_id}"
    # Files before rows: what is stored meanwhile is not looked at, or has its row already.
    names = {f"{place}/{name}" for name in _listed(place)[1]}
    rows = _rows(folder).filter(organization=organization_id)
    kept = dict(rows.values_list("stored", "pk"))
    found.files += len(names)
    for name in sorted(names - kept.keys()):
        if not _is_young(name):
            found.orphans.append(name)
            if not is_dry_run:
                default_storage.delete(name)
    for name in sorted(kept.keys() - names):
        if default_storage.exists(name):  # it came while we looked
            continue
        row = rows.filter(pk=kept[name]).first()
        if row is None:  # it went while we looked
            continue
        found.lost.append(row.public_id)
        if not is_dry_run:
            _mark_lost(row)


def _is_young(name: str) -> bool:
    try:
        return default_storage.get_modified_time(name) > timezone.now() - YOUNG
    except (FileNotFoundError, ClientError):  # of a disk, and of a bucket
        if default_storage.exists(name):
            raise
        return True  # somebody else has deleted it: there is nothing to do


@transaction.atomic
def _mark_lost(row: BlobUpload | GenerationArea) -> None:
    """Write down that a file is gone; a job that waits for it fails, and is given back."""
    locked = type(row)._default_manager.select_for_update(of=("self",)).filter(pk=row.pk)
    for held in locked.select_related("organization"):
        logger.error("file_lost", row=held.public_id)
        if isinstance(held, BlobUpload):
            let_go([held])
        else:
            held.result_gone_at = database_now()
            held.save(update_fields=["result_gone_at", "updated_at"])
        kind = "upload" if isinstance(held, BlobUpload) else "result"
        audit.record(
            action=f"{kind}.lost", organization=held.organization, object_id=held.public_id
        )
