"""A request and a response, as the simulator sees them."""

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any


@dataclass
class Request:
    """What came in."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]  # names in lower case

    def header(self, name: str) -> str | None:
        """Return a header by its name in lower case."""
        return self.headers.get(name)


@dataclass
class Response:
    """What goes out."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(status, encode(value))


def as_html(text: str, status: int = 200) -> Response:
    """Return a page, which may load nothing from anywhere else and stand in no frame."""
    policy = "default-src 'none'; style-src 'self'; form-action *; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(status, text.encode(), "text/html; charset=utf-8", headers)


def redirect(url: str) -> Response:
    """Send the browser somewhere else, with GET."""
    url = "".join(url.split())  # a line break would begin another header
    text = f'<!doctype html><title>Elsewhere</title><a href="{escape(url)}">Go on</a>'
    response = as_html(text, 303)
    response.headers["Location"] = url
    return response


def encode(value: Any) -> bytes:
    """Return JSON as it goes over the wire."""
    return json.dumps(value, ensure_ascii=False).encode()
