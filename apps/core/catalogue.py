"""Every error that we may answer, explained: made from the classes, so it is never behind."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from apps.core.errors import DomainError
from apps.core.problems import TITLES

PLACEHOLDER = re.compile(r"\{(\w+)\}")

# What to do, where the class does not say it better.
FIXES = {
    400: "Correct the request and send it again.",
    401: "Send a key that is valid in the header Authorization: Bearer cof_…, or sign in.",
    402: "Add credits, or ask for less, and send the request again.",
    403: "Ask an owner of the organization for a role that allows it.",
    404: "Check the id, and that it belongs to the organization you are working in.",
    405: "See the reference for the methods that this address answers.",
    406: "Ask for application/json.",
    409: "Read the present state and decide again; the request as it was cannot succeed now.",
    415: "Send JSON, with Content-Type: application/json.",
    422: "Use a new key for a new request, and the same key only for the same body.",
    429: "Wait as many seconds as Retry-After says.",
    500: "Send the request again with the same Idempotency-Key; if it stays, report its id.",
    503: "Wait as many seconds as Retry-After says, and send the same request again.",
}

# Errors that come from the protocol and have no class of ours: status and cause.
PROTOCOL = {
    "authentication_required": (401, "No key or session was sent, or it is not valid any more."),
    "internal_error": (500, "We made a mistake. It was recorded with the request's id."),
    "method_not_allowed": (405, "The address exists and does not answer this method."),
    "not_acceptable": (406, "The Accept header names no media type that we can write."),
    "parse_error": (400, "The body is no JSON."),
    "unsupported_media_type": (415, "The body's Content-Type is none that we can read."),
    "validation_error": (400, "Fields of the request are missing or wrong; `errors` lists each."),
}


@dataclass(frozen=True)
class Explained:
    """One error, for people who meet it."""

    code: str
    title: str
    status: int
    cause: str
    detail: str  # with … where facts of the occurrence stand
    fix: str
    members: tuple[str, ...]  # what the problem document has beside the usual

    @property
    def slug(self) -> str:
        """The code as addresses write it."""
        return self.code.replace("_", "-")


def catalogue() -> dict[str, Explained]:
    """Return every error by its code, in the order of codes."""
    found = {code: explain_protocol(code) for code in PROTOCOL}
    for error in subclasses(DomainError):
        # Of several classes with one code, the first is the general case.
        found.setdefault(error.code, explain_class(error))
    return dict(sorted(found.items()))


def subclasses(parent: type[DomainError]) -> Iterator[type[DomainError]]:
    """Yield the classes below this one, nearest first."""
    direct = parent.__subclasses__()
    yield from direct
    for child in direct:
        yield from subclasses(child)


def explain_class(error: type[DomainError]) -> Explained:
    """Explain a refusal from what its class says of itself."""
    return Explained(
        code=error.code,
        title=error.title,
        status=error.status,
        cause=inspect.cleandoc(error.__doc__ or ""),
        detail=PLACEHOLDER.sub("…", error.message),
        fix=FIXES.get(error.status, FIXES[400]),
        members=tuple(dict.fromkeys(PLACEHOLDER.findall(error.message))),
    )


def explain_protocol(code: str) -> Explained:
    """Explain an error that has no class of ours."""
    status, cause = PROTOCOL[code]
    return Explained(code, TITLES[code], status, cause, "", FIXES[status], ())
