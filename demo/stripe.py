"""What somebody does at Stripe in the demo: on its pages, and where our gateway does not go."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings

SECONDS = 10


class _Staying(HTTPRedirectHandler):
    """Does not go where Stripe's page leads to: our own web server may not be up yet."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Stay."""
        return


_OPENER = build_opener(_Staying)


def press(page: str, card: str) -> None:
    """Pay with a test card on a page of the simulator's, or try to."""
    _send(page, _form(action="pay", card=card, email="billing@acme.test"))


def post(path: str, **fields: object) -> dict[str, Any]:
    """Send a form to the simulator's API, and return what it answers."""
    authorization = {"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"}
    address = f"{settings.STRIPE_API_URL}{path}"
    answer: dict[str, Any] = json.loads(_send(address, _form(**fields), authorization))
    return answer


def _form(**fields: object) -> bytes:
    return urlencode(fields).encode()


def _send(address: str, form: bytes, headers: dict[str, str] | None = None) -> bytes:
    """Send a form; a redirect and a card that is declined are answers as well."""
    request = Request(address, form, headers or {})  # noqa: S310  the simulator's own
    try:
        with _OPENER.open(request, timeout=SECONDS) as answer:
            return bytes(answer.read())
    except HTTPError as answer:
        with answer:
            if answer.code not in (302, 303, 402):
                raise
            return bytes(answer.read())
