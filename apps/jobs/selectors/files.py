"""Read pictures: what was uploaded, and what was made of it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.errors import NotFound
from apps.core.files import StoredFile
from apps.jobs.errors import ResultGone, ResultNotReady
from apps.jobs.models import BlobUpload, GenerationArea
from apps.jobs.selectors.viewing import Viewer
from apps.tenants.models import Organization


def usable_uploads(
    organization: Organization, upload_ids: Iterable[str], by: Viewer | None = None
) -> dict[str, BlobUpload]:
    """
    Return those of these pictures that are the organization's (or one sees), not past their date.

    With one query, however many they are; one of another organization is left out like none.
    """
    row_ids = [row_id for one in set(upload_ids) if (row_id := BlobUpload.read_id(one))]
    found = uploads_of(organization, by).filter(pk__in=row_ids)
    return {upload.public_id: upload for upload in found}


def uploads_of(organization: Organization, by: Viewer | None = None) -> QuerySet[BlobUpload]:
    """Return the pictures (or those that one sees) that are kept, not past their date."""
    uploads = BlobUpload.objects.filter(organization=organization, expires_at__gt=Now())
    return uploads if by is None else uploads.filter(by.sees_uploads())


def upload_of(
    organization: Organization, upload_id: UUID | None, by: Viewer | None = None
) -> BlobUpload:
    """
    Return one of the organization's pictures, or of those that one sees.

    :raises NotFound: if there is no such picture among them, or no more.
    """
    found = uploads_of(organization, by).filter(pk=upload_id).first() if upload_id else None
    if found is None:
        raise NotFound
    return found


def kept_bytes(organization: Organization, by: Viewer | None = None) -> int:
    """
    Return how many bytes of uploads are kept, those past their date included.

    Of all to who sees all, because they share one quota; else of his own.
    """
    uploads = BlobUpload.objects.filter(organization=organization)
    if by is not None and not by.sees_all:
        uploads = uploads.filter(user=by.user)
    kept: int = uploads.aggregate(kept=Sum("size", default=0))["kept"]
    return kept


def has_result(area: GenerationArea) -> bool:
    """Tell whether an area has a result that is still kept."""
    is_over = area.result_gone_at is not None or is_past(area.result_expires_at)
    return bool(area.result) and not is_over


def is_past(moment: datetime | None) -> bool:
    """Tell whether what is shown until a moment is shown no more; nothing is decided by this."""
    return moment is not None and moment <= timezone.now()


def result_of(area: GenerationArea) -> StoredFile:
    """
    Return the file that was made of an area.

    :raises ResultNotReady: if nothing was, or not yet.
    :raises ResultGone: if it is no longer kept.
    """
    if not area.result:
        raise ResultNotReady(job_status=area.status)
    if not has_result(area):
        until = area.result_expires_at or area.result_gone_at
        raise ResultGone(kept_until=until.date().isoformat() if until else "")
    extension = area.result_content_type.rpartition("/")[2]
    filename = f"{area.public_id}.{extension}"
    return StoredFile(str(area.result), area.result_content_type, filename)


def original_of(area: GenerationArea) -> StoredFile:
    """
    Return the picture that an area works on.

    :raises NotFound: if it is no longer kept.
    """
    if area.upload is None:
        raise NotFound
    return picture_of(area.upload)


def picture_of(upload: BlobUpload) -> StoredFile:
    """Return the file of an upload."""
    filename = upload.filename or upload.public_id
    return StoredFile(str(upload.file), upload.content_type, filename)
