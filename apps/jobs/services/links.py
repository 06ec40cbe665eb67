"""Links to pictures and results, for whoever looks now, and what they lead to."""

from datetime import UTC, datetime

from django.urls import reverse

from apps.core.errors import NotFound
from apps.core.files import StoredFile
from apps.core.links import Link, link_to
from apps.jobs import selectors
from apps.jobs.models import BlobUpload, GenerationArea
from apps.jobs.selectors.viewing import Viewer
from apps.tenants.models import Organization

FOR_EVER = datetime.max.replace(tzinfo=UTC)  # no end is known


def result_link(area: GenerationArea) -> Link | None:
    """Return a link to what was made of an area, or None while there is nothing, or no more."""
    if not selectors.has_result(area):
        return None
    until = area.result_expires_at or FOR_EVER
    return _link(selectors.result_of(area), area, until)


def upload_link(upload: BlobUpload | None) -> Link | None:
    """Return a link to a picture, or None if it is no longer kept."""
    if upload is None or selectors.is_past(upload.expires_at):
        return None
    return _link(selectors.picture_of(upload), upload, upload.expires_at)


def file_of(organization: Organization, file_id: str, by: Viewer | None = None) -> StoredFile:
    """
    Return the file with this id: `upl_…` is a picture, `area_…` the result of an area.

    :raises NotFound: if the organization (or what one sees of it) has none, or no more.
    """
    if upload_id := BlobUpload.read_id(file_id):
        return selectors.picture_of(selectors.upload_of(organization, upload_id, by))
    area_id = GenerationArea.read_id(file_id)
    if area_id is None:
        raise NotFound
    areas = GenerationArea.objects.filter(organization=organization, pk=area_id)
    area = (areas if by is None else areas.filter(by.sees_jobs("job__"))).first()
    if area is None or not selectors.has_result(area):
        raise NotFound
    return selectors.result_of(area)


def _link(file: StoredFile, row: BlobUpload | GenerationArea, until: datetime) -> Link | None:
    return link_to(
        file,
        file_id=row.public_id,
        address=reverse("api:jobs:file", args=[row.public_id]),
        organization_id=row.organization_id,
        until=until,
    )
