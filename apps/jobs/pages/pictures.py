"""The page of pictures that are kept: how long, how much room they take, and deleting one."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from apps.core import paging
from apps.jobs import selectors
from apps.jobs.models import BlobUpload
from apps.jobs.pages.base import JobsPage
from apps.jobs.services import links, uploads
from apps.jobs.services.pictures import MEGABYTE

PAGE_SIZE = 24


class Pictures(JobsPage):
    """The organization's pictures, newest first."""

    permission_for_own = "jobs.view_own"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show one page of them."""
        kept = selectors.uploads_of(self.organization, self.by())
        before = BlobUpload.read_id(request.GET.get("before", ""))
        shown, end = paging.page_of(
            (kept.filter(id__lt=before) if before else kept).order_by("-id"), size=PAGE_SIZE
        )
        here = reverse("jobs:pictures", args=[slug])
        page = {
            "pictures": [picture_line(upload) for upload in shown],
            "kept_size": filesizeformat(selectors.kept_bytes(self.organization, self.by())),
            "quota_size": filesizeformat(settings.UPLOAD_QUOTA_MB * MEGABYTE),
            "next_url": f"{here}?before={end.public_id}" if end else None,
            "first_url": here if before else None,
            "can_delete": self.user.has_perm("jobs.submit", self.organization),
        }
        return render(request, "jobs/pictures.html", page)


class DeletePicture(JobsPage):
    """The end of a picture before its date."""

    permission = "jobs.submit"

    def post(self, request: HttpRequest, slug: str, upload_id: str) -> HttpResponse:
        """Delete it, and go back to the others."""
        upload = selectors.upload_of(self.organization, BlobUpload.read_id(upload_id), self.by())
        uploads.delete_upload(upload=upload)
        messages.success(request, "The picture was deleted.")
        return redirect("jobs:pictures", slug)


def picture_line(upload: BlobUpload) -> dict[str, Any]:
    """Return one picture as the page shows it."""
    link = links.upload_link(upload)
    return {
        "public_id": upload.public_id,
        "name": upload.filename or "Picture",
        "size": f"{upload.width:,} × {upload.height:,}, {filesizeformat(upload.size)}",
        "url": link.url if link else "",
        "expires_at": upload.expires_at,
    }
