"""
Count one request: whose it is, and what it asks.

Views of the API do so once they know who asks, and for which organization, before they do
anything else; `middleware` does it for changes on pages.
"""

from __future__ import annotations  # DRF loads this module while it makes its APIView

import math
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle

from apps.core import context
from apps.core.errors import RateLimited
from apps.core.ratelimits import limiter
from apps.core.ratelimits.policies import Caller, Subscriber, group_of
from apps.core.ratelimits.windows import Window

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

NETWORK_BITS = 64  # of an IPv6 address: whoever has one address of such a network has all


@dataclass
class Counting:
    """What is known of the counting of a request; hangs on the request."""

    is_due: bool = True
    window: Window | None = None


def check_rate(
    request: HttpRequest, requests: frozenset[str], organization: Subscriber | None = None
) -> None:
    """
    Count a request, before anything is done for it.

    :raises RateLimited: if a policy does not let it pass; then it is counted by none.
    """
    counting = counting_of(request)
    counting.is_due = False
    counting.window = window = limiter.count(caller_of(request, organization), requests)
    if window is not None and not window.is_allowed:
        raise RateLimited(
            policy=window.policy.code,
            limit=window.policy.limit,
            retry_after=seconds_of(window),
        )


def counting_of(request: HttpRequest) -> Counting:
    """Return what hangs on the request; hang it there at the first time."""
    found: Counting | None = getattr(request, "rate_limit", None)
    if found is None:
        found = request.rate_limit = Counting()  # type: ignore[attr-defined]
    return found


def caller_of(request: HttpRequest, organization: Subscriber | None) -> Caller:
    """Return for whom a request counts: a key's counts for the key, and not for its maker."""
    key = getattr(request, "auth", None)  # set by the API's authentication
    user = getattr(request, "user", None)
    is_person = key is None and user is not None and user.is_authenticated
    return Caller(
        ip=network_of(context.current().ip_address or ""),
        user=user.public_id if is_person and user else "",
        key=key.public_id if key is not None else "",
        organization=organization,
    )


def network_of(address: str) -> str:
    """Return what an address counts as: itself, or for IPv6 its network; nothing if it is none."""
    try:
        if ip_address(address).version == 4:
            return address
        return str(ip_network((address.partition("%")[0], NETWORK_BITS), strict=False))
    except ValueError:
        return ""


def requests_of(view: APIView, method: str) -> frozenset[str]:
    """Return all names by which a policy may mean this method of a view."""
    permissions: dict[str, str] = getattr(view, "permissions", {})
    return group_of(
        method,
        is_keyed=method in getattr(view, "keyed_methods", ()),
        permission=permissions.get("GET" if method == "HEAD" else method, ""),
    )


class RateLimit(BaseThrottle):
    """Counts requests of views that work in no organization; the others count themselves."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """
        Let the request pass.

        :raises RateLimited: if a policy does not.
        """
        check_rate(request._request, requests_of(view, str(request.method)))
        return True


def seconds_of(window: Window) -> int:
    """Return after how many whole seconds, at least one, a request more is allowed."""
    return max(1, math.ceil(window.seconds_left))
