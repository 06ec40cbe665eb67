"""
What is served beside Coffer itself, by the same server: something to compare with, and controls.

`granian figures.intake_served:bare` inserts one row and answers. The careless ones do first
what the intake must never wait for.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse

from apps.billing import tasks
from apps.billing.gateway import objects
from apps.billing.services import inbox
from apps.billing.webhooks import StripeWebhook, read
from apps.core import ids

Start = Callable[[str, list[tuple[str, str]]], object]


def bare(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Keep what was sent as one row, and answer."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO figures_bare (id, payload) VALUES (%s, %s)", [ids.new_id(), body.decode()]
        )
    start("200 OK", [("Content-Length", "0")])
    return [b""]


def careless(question: Callable[[dict[str, Any]], object]) -> Callable[..., Iterable[bytes]]:
    """Return Coffer with an intake that answers only once this is done with the event."""

    def post(view: StripeWebhook, request: HttpRequest) -> HttpResponse:
        event = dict(read(request))
        question(event["data"]["object"])
        inbox.receive(event, source="webhook")
        return HttpResponse(status=200)

    StripeWebhook.post = post  # type: ignore[method-assign]
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.STRIPE_API_URL = os.environ["FIGURE_STRIPE_API_URL"]
    settings.STRIPE_SECRET_KEY = os.environ["FIGURE_STRIPE_SECRET_KEY"]
    return get_wsgi_application()


def _ring(about: dict[str, Any]) -> None:
    tasks.process_events.apply_async(kwargs={"subject": inbox.subject_of(about)}, retry=False)


def _ask(about: dict[str, Any]) -> None:
    if objects.knows(about["object"]):
        objects.retrieve(about["object"], about["id"])


def __getattr__(name: str) -> Any:
    """Make only the application that is asked for: each changes this process."""
    known = {"rings_first": _ring, "asks_first": _ask}
    if name not in known:
        raise AttributeError(name)
    return careless(known[name])
