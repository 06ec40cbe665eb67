"""Answer addresses that nothing can have, before anybody looks for it."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from apps.core.pages import nul_refused, page_not_found

NUL = "\0"


class AddressMiddleware:
    """
    Refuse a NUL in an address, which PostgreSQL takes in no text.

    Whoever looked for a row by it would fail (500), where there is merely no such row.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 404 to such a path and 400 to such parameters; let all others through."""
        if NUL in request.path_info:
            return page_not_found(request, Http404())
        if "%00" in request.META.get("QUERY_STRING", ""):
            return nul_refused(request)
        return self.get_response(request)
