"""Keep pictures that customers upload, for a while."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import PurePosixPath

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.errors import NotFound
from apps.jobs import selectors
from apps.jobs.errors import UploadInUse, UploadNotFound, UploadQuotaReached
from apps.jobs.models import BlobUpload, GenerationArea
from apps.jobs.models.jobs import UNFINISHED
from apps.jobs.services.pictures import LARGEST_FILE, MEGABYTE, inspect
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

LOCK = 0x75706C  # first key of the advisory lock; the second is the organization


def store_upload(*, organization: Organization, user: User, file: File[bytes]) -> BlobUpload:
    """
    Check a picture and keep it for UPLOAD_DAYS, under a name that nobody can guess.

    The same picture once more is another upload, with a date of its own.

    :raises PictureRefused: if it is too large, damaged, or no picture that we take.
    :raises UploadQuotaReached: if the organization keeps as much as it may.
    """
    # One byte more than is taken, so that a file that lies about its size is found out.
    picture = inspect(file.read(LARGEST_FILE + 1))
    _check_room(organization, len(picture.content))
    upload = BlobUpload(
        organization=organization,
        user=user,
        filename=_readable(file.name or ""),
        content_type=picture.content_type,
        size=len(picture.content),
        width=picture.width,
        height=picture.height,
        sha256=picture.sha256,
        expires_at=database_now() + timedelta(days=settings.UPLOAD_DAYS),
    )
    upload.file.name = default_storage.save(
        f"uploads/{organization.id}/{upload.id}.{picture.extension}", ContentFile(picture.content)
    )
    try:
        with transaction.atomic():
            _take_turns(organization)
            _check_room(organization, upload.size)  # of two at once, the second is asked again
            upload.save()
            _record("upload.create", upload)
    except BaseException:
        default_storage.delete(str(upload.file))
        raise
    return upload


def delete_upload(*, upload: BlobUpload) -> None:
    """
    Delete a picture before its date.

    :raises NotFound: if it is gone already.
    :raises UploadInUse: if a job that waits or runs needs it.
    """
    with transaction.atomic():
        locked = BlobUpload.objects.select_for_update(of=("self",)).filter(pk=upload.pk)
        found = list(locked.select_related("organization"))
        if not found:
            raise NotFound
        if not let_go(found):
            raise UploadInUse
        _record("upload.delete", found[0])
        # Once it is certain; if the storage is away then, the nightly comparison finds the file.
        name = str(upload.file)
        transaction.on_commit(lambda: default_storage.delete(name), robust=True)


@inside_transaction
def hold_uploads(organization: Organization, uploads: Iterable[BlobUpload]) -> None:
    """
    Check that pictures can be worked on, and lock them: until we commit, none is deleted.

    :raises UploadNotFound: for one that is past its date, gone, or of another organization.
    """
    asked = {upload.pk: upload for upload in uploads}
    usable = BlobUpload.objects.filter(
        organization=organization, pk__in=asked, expires_at__gt=Now()
    )
    # In the order of their ids, so that nobody waits for another in a circle.
    found = usable.select_for_update(no_key=True, of=("self",)).order_by("pk")
    for missing in asked.keys() - {upload.pk for upload in found}:
        raise UploadNotFound(upload_id=asked[missing].public_id)


@inside_transaction
def let_go(uploads: Sequence[BlobUpload]) -> list[BlobUpload]:
    """
    Delete the rows of locked pictures, except of those that a job needs; return what is gone.

    A picture is also needed while somebody holds an area of it: he may be trying it again.
    """
    areas = GenerationArea.objects.filter(upload__in=uploads)
    free = areas.exclude(status__in=UNFINISHED).select_for_update(
        no_key=True, skip_locked=True, of=("self",)
    )
    # Asked for with their lock first: what is changed then is what was seen.
    GenerationArea.objects.filter(pk__in=[area.pk for area in free]).update(upload=None)
    needed = set(areas.values_list("upload_id", flat=True))
    gone = [upload for upload in uploads if upload.pk not in needed]
    BlobUpload.objects.filter(pk__in=[upload.pk for upload in gone]).delete()
    return gone


def forget_uploads_of(*, user: User) -> None:
    """Forget what a person called his pictures; the next sweep deletes them."""
    BlobUpload.objects.filter(user=user).update(filename="", expires_at=Now())


@inside_transaction
def _take_turns(organization: Organization) -> None:
    """Let one upload of an organization be counted after the other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK, str(organization.pk)]
        )


def _check_room(organization: Organization, size: int) -> None:
    """
    Check that so many bytes more can be kept.

    :raises UploadQuotaReached: if they cannot.
    """
    kept = selectors.kept_bytes(organization)
    if kept + size > settings.UPLOAD_QUOTA_MB * MEGABYTE:
        raise UploadQuotaReached(kept_mb=kept // MEGABYTE, quota_mb=settings.UPLOAD_QUOTA_MB)


def _readable(name: str) -> str:
    """Return the last part of a file's name, without what cannot be printed."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(filter(str.isprintable, last))[:200]


def _record(action: str, upload: BlobUpload) -> None:
    audit.record(
        action=action,
        organization=upload.organization,
        object_id=upload.public_id,
        after={"content_type": upload.content_type, "size": upload.size},
    )
