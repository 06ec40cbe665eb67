"""The connection on which staff see every organization."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from apps.core import scope

STAFF = "staff"  # alias of the connection whose role may see every organization


@contextmanager
def as_staff(reason: str) -> Iterator[None]:
    """
    See every organization for the length of a block, and say why.

    The web's own role cannot: what is asked meanwhile goes over a connection of the role of
    staff, where there is one (DATABASE_STAFF_URL). Must not begin inside a transaction.
    """
    with scope.every_organization(reason), role_of_staff():
        yield


def keep_staff[R: HttpResponseBase](response: R, reason: str) -> R:
    """Let an answer that is made while it is sent be made as staff, part by part."""
    if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
        response.streaming_content = _made_as_staff(iter(response), reason)
    return response


def _made_as_staff(parts: Iterator[bytes], reason: str) -> Iterator[bytes]:
    while True:
        with as_staff(reason):
            part = next(parts, None)
        if part is None:
            return
        yield part


@contextmanager
def role_of_staff() -> Iterator[None]:
    """Send what is asked of the database over the connection of staff, if there is one."""
    if STAFF not in settings.DATABASES:
        yield
        return
    web = connections[DEFAULT_DB_ALIAS]
    assert not web.in_atomic_block, "A transaction cannot go on over another connection."
    connections[DEFAULT_DB_ALIAS] = connections[STAFF]
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = web
