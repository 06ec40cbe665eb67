"""Refusals of files as a whole."""

from apps.core.errors import DomainError


class UnreadableUpload(DomainError):
    """A file is no table that can be read; `reason` says why, and `row` where, if it is known."""

    code = "unreadable_upload"
    title = "The file cannot be read"
    about = "file"
    message = "{problem}"
