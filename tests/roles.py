"""
Requests of the tests' clients in the role of the web, as in production.

What a test makes and looks at by itself, it does as the owner of the database. A request is
served as `coffer_web`, and as `coffer_staff` where the web would change its connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import FileResponse

from apps.core.postgres import staff
from apps.core.walls import STAFF, WEB

ROLE_OF_STAFF = staff.role_of_staff  # as it is in production


@contextmanager
def web_role_for_requests() -> Iterator[None]:
    """Serve requests in the roles of production for the length of a block."""
    serve, change = BaseHandler.get_response, ROLE_OF_STAFF

    def served(handler, request):
        with role(WEB):
            response = serve(handler, request)
        if response.streaming and not isinstance(response, FileResponse):
            response.streaming_content = in_role(WEB, response.streaming_content)
        return response

    BaseHandler.get_response = served
    staff.role_of_staff = lambda: role(STAFF)
    try:
        yield
    finally:
        BaseHandler.get_response, staff.role_of_staff = serve, change


def in_role(name, parts):
    """Yield what is made while it is read, each part made in this role."""
    remaining, end = iter(parts), object()
    while True:
        with role(name):
            part = next(remaining, end)
        if part is end:
            return
        yield part


@contextmanager
def role(name: str) -> Iterator[None]:
    """Ask the database as this role for the length of a block. Not counted among the queries."""
    connection.ensure_connection()
    before = _current(connection.connection)
    _set_role(name)
    try:
        yield
    finally:
        _set_role(before)


def _current(driver: psycopg.Connection) -> str:
    with driver.cursor() as cursor:
        return cursor.execute("SELECT current_setting('role')").fetchone()[0]


def _set_role(name: str) -> None:
    if connection.connection is None or connection.connection.closed:
        return  # the test killed it; a new one begins as the owner
    try:
        with connection.connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {name}")
    except psycopg.errors.InFailedSqlTransaction:
        pass  # what is rolled back takes the role with it
