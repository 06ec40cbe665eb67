"""Keep pictures that customers upload, for a while."""

from datetime import timedelta

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from apps.core.clock import database_now
from apps.jobs.models import BlobUpload, GenerationArea
from apps.jobs.services.pictures import LARGEST_FILE, inspect
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

KEEP = timedelta(days=7)


def store_upload(*, organization: Organization, user: User, file: File[bytes]) -> BlobUpload:
    """
    Check a picture and keep it for seven days, under a name that nobody can guess.

    :raises PictureRefused: if it is too large, damaged, or no picture that we take.
    """
    # One byte more than is taken, so that a file that lies about its size is found out.
    picture = inspect(file.read(LARGEST_FILE + 1))
    upload = BlobUpload(
        organization=organization,
        user=user,
        filename=(file.name or "")[:200],
        content_type=picture.content_type,
        size=len(picture.content),
        width=picture.width,
        height=picture.height,
        sha256=picture.sha256,
        expires_at=database_now() + KEEP,
    )
    upload.file.name = default_storage.save(
        f"uploads/{organization.id}/{upload.id}.{picture.extension}", ContentFile(picture.content)
    )
    try:
        with transaction.atomic():
            upload.save()
            _record(upload)
    except BaseException:
        default_storage.delete(str(upload.file))
        raise
    return upload


def delete_expired_uploads(*, limit: int = 100) -> int:
    """Delete pictures that are past their date and that no unfinished job needs."""
    needed = GenerationArea.objects.filter(
        upload=OuterRef("pk"), status__in=["pending", "processing"]
    )
    with transaction.atomic():
        due = list(
            BlobUpload.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(~Exists(needed), expires_at__lte=Now())
            .order_by("expires_at")[:limit]
        )
        BlobUpload.objects.filter(pk__in=[upload.pk for upload in due]).delete()
    for upload in due:
        default_storage.delete(str(upload.file))
    return len(due)


def forget_uploads_of(*, user: User) -> None:
    """Forget what a person called his pictures; the next sweep deletes them."""
    BlobUpload.objects.filter(user=user).update(filename="", expires_at=Now())


def _record(upload: BlobUpload) -> None:
    audit.record(
        action="upload.create",
        organization=upload.organization,
        object_id=upload.public_id,
        after={"content_type": upload.content_type, "size": upload.size},
    )
