"""What sign-in asks of every request: a second factor of staff, and a note of who was seen."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from apps.core import context
from apps.tenants import selectors
from apps.tenants.models import User
from apps.tenants.pages import second_factor
from apps.tenants.services import sessions

NOTE_EVERY = 300  # seconds, so that a page costs no write
GetResponse = Callable[[HttpRequest], HttpResponse]


class SignInMiddleware:
    """Keep staff without a second factor out of the back office; note sessions in use."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Note when and from where the session was used last, every few minutes."""
        noted = request.session.get(sessions.SEEN_AT)
        if noted is not None and time.time() - noted > NOTE_EVERY and request.user.is_authenticated:
            request.session[sessions.SEEN_AT] = int(time.time())
            cause = context.current()
            sessions.note_seen(
                session_key=request.session.session_key or "",
                ip_address=cause.ip_address or "",
                user_agent=cause.user_agent,
            )
        response = self.get_response(request)
        if request.path_info.startswith("/accounts/"):
            patch_cache_control(response, no_store=True)  # secrets and codes are shown there
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Ask staff for their second factor before any page of the back office."""
        match, user = request.resolver_match, request.user
        if match is None or "admin" not in match.namespaces or match.url_name == "logout":
            return None
        if not settings.STAFF_SECOND_FACTOR or not isinstance(user, User) or not user.is_staff:
            return None
        if selectors.has_shown_second_factor(user, request.session):
            return None
        return second_factor.ask_for_it(request, because="The back office")
