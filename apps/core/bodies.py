"""Refuse what is too long to be read, before any of it is in memory or on a disk."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.core.errors import RequestTooLarge
from apps.core.pages import API, refusal_page
from apps.core.problems import problem_response

LARGEST_BODY = 201 * 1024 * 1024  # bytes: twenty pictures of 10 MB, and what stands beside them


def body_length(request: HttpRequest) -> int:
    """Return how many bytes a request says it has: no more of them are ever read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() else 0


class BodyLimitMiddleware:
    """Answer 413 to requests that no page and no view of the API takes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request through, unless it is too long."""
        if body_length(request) <= LARGEST_BODY:
            return self.get_response(request)
        error = RequestTooLarge(most_mb=LARGEST_BODY // 1024**2)
        if not request.path.startswith(API):
            return refusal_page(request, error)
        return problem_response(request, code=error.code, status=error.status, detail=str(error))
