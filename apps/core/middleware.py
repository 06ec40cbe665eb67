"""What every request carries: an id, an actor, and the time zone of whoever looks."""

import re
import zoneinfo
from collections.abc import Callable
from ipaddress import ip_address

import structlog
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.request import split_domain_port
from django.urls import reverse
from django.utils import timezone

from apps.core import context, ids, scope
from apps.core.postgres.staff import as_staff, keep_staff

WELL_FORMED_ID = re.compile(r"[A-Za-z0-9_.\-]{8,128}")
LONGEST_USER_AGENT = 200  # characters
GetResponse = Callable[[HttpRequest], HttpResponse]


def readable(user_agent: str) -> str:
    """Return what a program calls itself, short and without what cannot be printed."""
    return "".join(filter(str.isprintable, user_agent))[:LONGEST_USER_AGENT]


def client_ip(request: HttpRequest) -> str:
    """
    Return the IP address from which a request comes.

    Behind TRUSTED_PROXIES proxies it is what the outermost of them was called from: that many
    places from the end of X-Forwarded-For. What stands before, whoever calls may have made up.
    """
    caller: str = request.META["REMOTE_ADDR"]
    told = request.headers.get("X-Forwarded-For", "").split(",")
    if not 0 < settings.TRUSTED_PROXIES <= len(told):
        return caller
    address = told[-settings.TRUSTED_PROXIES].strip()
    host, _ = split_domain_port(address)  # no host in an IPv6 address without brackets
    try:
        return str(ip_address((host.strip("[]") or address).partition("%")[0]))
    except ValueError:
        return caller


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
                ip_address=client_ip(request),
                acting_as="",
                user_agent=readable(request.headers.get("User-Agent", "")),
            ),
            structlog.contextvars.bound_contextvars(request_id=request_id),
            scope.entered(scope.NOTHING),
        ):
            response = self.get_response(request)
            if isinstance(response, StreamingHttpResponse) and not isinstance(
                response, FileResponse
            ):
                # Rows are asked for while it is sent, after this block.
                response.streaming_content = scope.kept(response.streaming_content)
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
        scope.set_user(user.pk)
        with timezone.override(zoneinfo.ZoneInfo(user.time_zone)):
            return self.get_response(request)


class BackOfficeMiddleware:
    """Let staff see every organization in the admin, and there alone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Work in the role of staff, if the address and the person are the admin's."""
        user = request.user
        is_staff = user.is_authenticated and user.is_active and user.is_staff
        if not is_staff or not request.path_info.startswith(reverse("admin:index")):
            return self.get_response(request)
        with as_staff("the admin"):
            return keep_staff(self.get_response(request), "the admin")
