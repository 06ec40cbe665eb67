"""The one base class of every error that a caller may expect."""

from typing import Any, ClassVar

RESERVED = frozenset({"type", "title", "status", "code", "detail", "instance", "request_id"})


class DomainError(Exception):
    """
    A refusal that the caller can act on: never a bug, never an outage.

    Subclasses set `code` (stable, for machines), `title` (the same for every
    occurrence), `message` (for people; formatted with the details) and `status`.
    Keyword arguments become public details, the same in API, page and admin. A detail
    `field` names the input that is wrong; `about` does so where it is always the same one.
    """

    code: ClassVar[str] = "invalid"
    title: ClassVar[str] = "The request cannot be carried out"
    message: ClassVar[str] = "The request cannot be carried out."
    status: ClassVar[int] = 400
    about: ClassVar[str] = ""  # the field of a form beside which it is shown, if that has it

    def __init__(self, **details: Any) -> None:
        assert RESERVED.isdisjoint(details), "RFC 9457 gives these names another meaning"
        super().__init__(self.message.format(**details))
        self.details = details


class NotFound(DomainError):
    """It does not exist, or belongs to someone else: both look the same."""

    code = "not_found"
    title = "Not found"
    message = "There is no such object."
    status = 404


class PermissionDenied(DomainError):
    """The caller may not do this in an organization he can see."""

    code = "permission_denied"
    title = "Permission denied"
    message = "This needs the permission {permission}. Ask an owner of the organization for it."
    status = 403


class ReadOnly(DomainError):
    """Somebody looks in another's place, and a request of his would have changed something."""

    code = "read_only"
    title = "Nothing can be changed now"
    message = (
        "You are looking in somebody else's place, so nothing was changed. Stop looking first, "
        "and do it in your own name."
    )
    status = 403


class RequestTooLarge(DomainError):
    """The body of a request is longer than anything that is taken."""

    code = "request_too_large"
    title = "The request is too large"
    message = "A request has at most {most_mb} MB. Send fewer or smaller files."
    status = 413


class Busy(DomainError):
    """A lock was not to be had in time; nothing was done."""

    code = "busy"
    title = "Busy"
    message = "Someone else is changing the same rows. Nothing was done: try again."
    status = 503


class IdempotencyKeyRequired(DomainError):
    """A request that moves credits or money came without a key."""

    code = "idempotency_key_required"
    title = "Idempotency-Key is required"
    message = (
        "Send an Idempotency-Key header of 1 to 255 printable characters, a new UUID for "
        "each new request and the same one when you repeat it."
    )


class IdempotencyKeyReused(DomainError):
    """The key was used before, for something else."""

    code = "idempotency_key_reused"
    title = "Idempotency-Key was used for another request"
    message = "This Idempotency-Key belongs to a request with another body. Use a new key."
    status = 422


class IdempotencyInProgress(DomainError):
    """The first request with this key has not answered yet."""

    code = "idempotency_in_progress"
    title = "The same request is still running"
    message = "A request with this Idempotency-Key is still running. Ask again in {retry_after} s."
    status = 409


class IdempotencyKeySpent(DomainError):
    """
    The request was carried out so long ago that its answer is no longer kept.

    The detail `location` leads to what it made, or is None if it made nothing new.
    """

    code = "idempotency_key_spent"
    title = "This request was carried out before"
    message = (
        "A request with this Idempotency-Key was carried out more than {hours} hours ago and "
        "is not carried out again. Its answer is no longer kept."
    )
    status = 409


class PdfUnavailable(DomainError):
    """The machine cannot set type: Pango is not installed on it."""

    code = "pdf_unavailable"
    title = "No PDF can be made here"
    message = "This instance cannot make PDF files. Take the CSV, or ask support to install Pango."
    status = 406


class RateLimited(DomainError):
    """More requests came in a short time than a policy of this instance allows."""

    code = "rate_limited"
    title = "Too many requests"
    message = (
        "The policy {policy} lets {limit} requests through in its time, and these are used up. "
        "Nothing was done: send the request again in {retry_after} seconds."
    )
    status = 429
