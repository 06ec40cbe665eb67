"""Statements of tests, beside Django's models."""

from django.db import connection


def write(sql: str) -> None:
    """Write, and ask at once what is otherwise asked at commit."""
    run(sql)
    ask_what_is_asked_at_commit()


def ask_what_is_asked_at_commit() -> None:
    """Check the deferred constraints now."""
    run("SET CONSTRAINTS ALL IMMEDIATE")
    run("SET CONSTRAINTS ALL DEFERRED")


def run(sql: str) -> list[tuple]:
    """Run a statement, and return its rows if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []
