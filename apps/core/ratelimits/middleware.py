"""
Tell how many requests are left, and count what does not count itself.

Those are changes that somebody makes on a page; and requests of the API that were refused before
their view got to it, such as those with a key that is not known: they are counted afterwards, by
their address, so that guessing is limited as well.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.views import APIView

from apps.core.errors import RateLimited
from apps.core.pages import refusal_page
from apps.core.problems import problem_response
from apps.core.ratelimits.policies import group_of, moves_money
from apps.core.ratelimits.requests import Counting, check_rate, counting_of, seconds_of
from apps.core.ratelimits.windows import Window

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class RateLimitMiddleware:
    """Tell how many requests are left; count changes on pages, and what was not counted yet."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the headers of the tightest policy."""
        response = self.get_response(request)
        counting: Counting | None = getattr(request, "rate_limit", None)
        if counting is None:
            return response
        if counting.is_due:  # of the API, and refused before its view got to it
            try:
                check_rate(request, group_of(str(request.method), is_keyed=False))
            except RateLimited as error:
                response = problem_response(
                    request,
                    code=error.code,
                    status=error.status,
                    detail=str(error),
                    **error.details,
                )
        if counting.window is not None:
            for name, value in headers_of(counting.window).items():
                response[name] = value
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *args: object
    ) -> HttpResponse | None:
        """Count changes on pages; leave the API to its views."""
        if issubclass(getattr(view, "cls", object), APIView):
            counting_of(request)
            return None
        if request.method not in UNSAFE or not request.user.is_authenticated:
            return None
        permission = _permission_of(view)
        is_keyed = moves_money(permission)  # the form has a key of its own, as a request has
        try:
            check_rate(request, group_of(request.method, is_keyed=is_keyed, permission=permission))
        except RateLimited as error:
            return refusal_page(request, error)
        return None


def _permission_of(view: Callable[..., Any]) -> str:
    """Return the permission that a page asks for changes, if it asks for one."""
    page = getattr(view, "view_class", None)
    code: str = getattr(page, "permission_to_change", "") or getattr(page, "permission", "")
    return code


def headers_of(window: Window) -> dict[str, str]:
    """Return the fields of the IETF's draft, as structured fields, and when to come again."""
    policy, seconds = window.policy, seconds_of(window)
    headers = {
        "RateLimit-Policy": f'"{policy.code}";q={policy.limit};w={policy.seconds}',
        "RateLimit": f'"{policy.code}";r={window.remaining};t={seconds}',
    }
    if not window.is_allowed:
        headers["Retry-After"] = str(seconds)
    return headers
