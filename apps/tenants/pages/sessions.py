"""Where a person is signed in, and how he ends that."""

import re

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views import View

from apps.tenants import selectors
from apps.tenants.pages.views import the_person
from apps.tenants.services import sessions

MOST_SESSIONS = 100  # shown on one page

# The first that is found: every browser also claims to be those below it.
BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux|X11"),
)


class Sessions(LoginRequiredMixin, View):
    """A person's sessions."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them, the latest used first."""
        found = selectors.sessions_of(the_person(request))[:MOST_SESSIONS]
        here = request.session.session_key
        lines = [
            {
                "id": one.pk,
                "device": device_of(one.user_agent),
                "ip": one.ip,
                "began_at": one.created_at,
                "seen_at": one.last_seen_at,
                "is_current": one.session_key == here,
            }
            for one in found
        ]
        return render(request, "tenants/sessions.html", {"sessions": lines})

    def post(self, request: HttpRequest) -> HttpResponse:
        """End all but this one."""
        ended = sessions.end_other_sessions(
            user=the_person(request), keep=request.session.session_key, reason="asked for"
        )
        messages.success(request, f"Other sessions ended: {ended}.")
        return redirect("tenants:sessions")


class EndSession(LoginRequiredMixin, View):
    """The end of one session."""

    def post(self, request: HttpRequest, session_id: int) -> HttpResponse:
        """Sign out there; another person's session does not exist."""
        user = the_person(request)
        session = get_object_or_404(selectors.sessions_of(user), pk=session_id)
        sessions.end_session(user=user, session=session)
        messages.success(request, "The session is ended.")
        return redirect("tenants:sessions")


def device_of(user_agent: str) -> str:
    """Name browser and system as people know them: "Firefox on Windows"."""
    browser = _first(BROWSERS, user_agent) or "A program"
    system = _first(SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, text)), "")
