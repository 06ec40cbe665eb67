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
from apps.tenants.models import Organization


def usable_uploads(organization: Organization, upload_ids: Iterable[str]) -> dict[str, BlobUpload]:
    """
    Return those of these pictures that are the organization's and not past their date.

    With one query, however many they are; one of another organization is left out like none.
    """
    row_ids = [row_id for one in set(upload_ids) if (row_id := BlobUpload.read_id(one))]
    found = BlobUpload.objects.filter(
        organization=organization, expires_at__gt=Now(), pk__in=row_ids
    )
    return {upload.public_id: upload for upload in found}


def uploads_of(organization: Organization) -> QuerySet[BlobUpload]:
    """Return the pictures of an organization that are kept and not past their date."""
    return BlobUpload.objects.filter(organization=organization, expires_at__gt=Now())


def upload_of(organization: Organization, upload_id: UUID | None) -> BlobUpload:
    """
    Return one of the organization's pictures.

    :raises NotFound: if it has no such picture, or has it no more.
    """
    found = uploads_of(organization).filter(pk=upload_id).first() if upload_id else None
    if found is None:
        raise NotFound
    return found


def kept_bytes(organization: Organization) -> int:
    """Return how many bytes of uploads an organization keeps, those past their date included."""
    uploads = BlobUpload.objects.filter(organization=organization)
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
