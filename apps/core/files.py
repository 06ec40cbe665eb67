"""Hand out stored files so that a browser takes them for nothing else than they are."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404


def stored_file(*, name: str, content_type: str, filename: str) -> FileResponse:
    """
    Answer a stored file, to be shown and never to be sniffed, run or kept by a proxy.

    :raises Http404: if the storage has it no more.
    """
    try:
        file = default_storage.open(name)
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(file, content_type=content_type, filename=filename)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=300"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
