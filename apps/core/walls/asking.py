"""Ask the database, and have all rows at once."""

from typing import Any

from django.db import connection


def ask(statement: str, *parameters: Any) -> list[Any]:
    """Return every row of the answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall())
