"""Say of a request which address it was sent to, in words that whoever sent it cannot choose."""

from django.http import HttpRequest

LONGEST_ID = 100  # characters of an id that is written down


def route_of(request: HttpRequest) -> str:
    """Return method and route: `POST o/<slug:slug>/keys/`."""
    match = request.resolver_match
    return f"{request.method} {match.route if match else '?'}"


def object_of(request: HttpRequest) -> str:
    """Return the id of the object that the address names last; empty where it names none."""
    named = request.resolver_match.kwargs if request.resolver_match else {}
    ids = [str(value) for name, value in named.items() if name.endswith("_id")]
    return ids[-1][:LONGEST_ID] if ids else ""
