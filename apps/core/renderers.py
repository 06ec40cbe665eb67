"""What lets a caller of the API ask for a file by its type."""

from rest_framework.renderers import JSONRenderer


class CsvRenderer(JSONRenderer):
    """Lets a caller accept text/csv: the file is streamed past it, refusals it writes as JSON."""

    media_type = "text/csv"
    format = "csv"


class PdfRenderer(JSONRenderer):
    """Lets a caller accept a PDF: the file goes past it, refusals it writes as JSON."""

    media_type = "application/pdf"
    format = "pdf"
