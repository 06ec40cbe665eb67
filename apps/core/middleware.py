"""What every request carries: an id, an actor, and the time zone of whoever looks."""

import re
import zoneinfo
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.core import context, ids

WELL_FORMED_ID = re.compile(r"[A-Za-z0-9_.\-]{8,128}")
LONGEST_USER_AGENT = 200  # characters
GetResponse = Callable[[HttpRequest], HttpResponse]


def readable(user_agent: str) -> str:
    """Return what a program calls itself, short and without what cannot be printed."""
    return "".join(filter(str.isprintable, user_agent))[:LONGEST_USER_AGENT]


class RequestContextMiddleware:
    """Give each request an id, keep it in logs and ledger rows, and return it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Take a well-formed id from the caller, or make one."""
        request_id = request.headers.get("X-Request-ID", "")
        if not WELL_FORMED_ID.fullmatch(request_id):
            request_id = ids.encode("req", ids.new_id())
        request.id = request_id  # type: ignore[attr-defined]
        # Whoever reads the header after us (the log of requests does) finds the same id.
        request.META["HTTP_X_REQUEST_ID"] = request_id
        with (
            context.acting(
                actor="anonymous",
                request_id=request_id,
                ip_address=request.META["REMOTE_ADDR"],
                acting_as="",
                user_agent=readable(request.headers.get("User-Agent", "")),
            ),
            structlog.contextvars.bound_contextvars(request_id=request_id),
        ):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class TimeZoneMiddleware:
    """Show times in the viewer's zone, and name him as the one who acts."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Apply the zone for the length of the request."""
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        context.set_actor(f"user:{user.public_id}")
        with timezone.override(zoneinfo.ZoneInfo(user.time_zone)):
            return self.get_response(request)
