"""PDF documents, made from our own templates and nothing else."""

from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from PIL import ImageFile

from apps.core.errors import PdfUnavailable

STYLE = "documents/document.css"


def render_pdf(template: str, facts: dict[str, Any]) -> bytes:
    """
    Return the template as a PDF. Nothing is fetched: neither from the disk nor from a network.

    :raises PdfUnavailable: if this machine lacks Pango, the library that sets the type.
    """
    try:
        # Loaded late: an instance that makes no PDF runs without the system's libraries.
        from weasyprint import CSS, HTML  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise PdfUnavailable from error
    # WeasyPrint lets Pillow take damaged pictures, in the whole process and for ever, so that
    # damaged uploads would be taken as well. Our documents have no pictures.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    style = CSS(string=render_to_string(STYLE), url_fetcher=_refuse)
    page = HTML(string=render_to_string(template, facts), url_fetcher=_refuse)
    document: bytes = page.write_pdf(stylesheets=[style])
    return document


def pdf_response(*, filename: str, template: str, facts: dict[str, Any]) -> HttpResponse:
    """
    Answer the template as a PDF file.

    :raises PdfUnavailable: if this machine lacks Pango, the library that sets the type.
    """
    response = HttpResponse(render_pdf(template, facts), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


def _refuse(url: str, *args: Any, **kwargs: Any) -> Any:
    raise ValueError(f"Documents fetch nothing, and so not {url}.")
