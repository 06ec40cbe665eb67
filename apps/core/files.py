"""Hand out stored files so that a browser takes them for nothing else than they are."""

from dataclasses import dataclass

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

NO_STORE = "private, no-store"


@dataclass(frozen=True)
class StoredFile:
    """A file of the storage, and what a browser is told that it is."""

    name: str
    content_type: str
    filename: str  # under which it is saved; as somebody called it, so not to be trusted


def stored_file(stored: StoredFile) -> FileResponse:
    """
    Answer a stored file, to be shown and never to be sniffed, run or kept by a proxy.

    :raises Http404: if the storage has it no more.
    """
    try:
        file = default_storage.open(stored.name)
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(file, content_type=stored.content_type, filename=stored.filename)
    _show_alone(response, NO_STORE)
    response["Referrer-Policy"] = "no-referrer"
    return response


def small_picture(content: bytes) -> HttpResponse:
    """Answer a picture (WebP) that is made here, and never changes at its address."""
    response = HttpResponse(content, content_type="image/webp")
    _show_alone(response, "private, max-age=86400")
    return response


def _show_alone(response: HttpResponseBase, caching: str) -> None:
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = caching
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"


def handed_out(file: StoredFile) -> HttpResponseBase:
    """
    Answer a file to somebody who may have it: from the disk, or by a minute's link to the bucket.

    :raises Http404: if the disk has it no more.
    """
    if not is_in_bucket():
        return stored_file(file)
    response = HttpResponseRedirect(bucket_address(file, seconds=60, is_download=True))
    response["Cache-Control"] = NO_STORE
    response["Referrer-Policy"] = "no-referrer"
    return response


def is_in_bucket() -> bool:
    """Tell whether files are in a bucket, which hands them out itself."""
    return bool(settings.STORAGE == "s3")


def bucket_address(file: StoredFile, *, seconds: int, is_download: bool = False) -> str:
    """Return an address signed by the bucket's key, which answers with what we say it is."""
    answers = {
        "ResponseContentType": file.content_type,
        "ResponseContentDisposition": content_disposition_header(is_download, file.filename),
        "ResponseCacheControl": NO_STORE,
    }
    # Only the storage of buckets takes these two.
    address: str = default_storage.url(file.name, parameters=answers, expire=seconds)  # type: ignore[call-arg]
    return address
