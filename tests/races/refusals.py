"""Ways to write down what a guard refuses, for `tests.races.guards`."""

from django.db import models

from tests.races.guards import Guard, Rows

type Model = type[models.Model]


def refused(
    rows: Rows, kind: str, name: str, model: Model, beside: str = "", /, **changes: str
) -> Guard:
    """Return the guard that refuses a new row with these changes."""
    return Guard(name, kind, model._meta.db_table, rows[model](**changes), beside)


def trigger(name: str, model: Model, statement: str, beside: str = "") -> Guard:
    """Return the trigger that refuses a statement."""
    return Guard(name, "trigger", model._meta.db_table, statement, beside)


def updates(name: str, model: Model, *changes: str) -> list[Guard]:
    """Return the trigger that refuses each of these changes."""
    return [trigger(name, model, f"UPDATE {model._meta.db_table} SET {one}") for one in changes]


def removals(name: str, model: Model, *besides: str) -> list[Guard]:
    """Return the trigger that refuses to delete and to empty a table, with what points at it."""
    table = model._meta.db_table
    return [
        trigger(name, model, f"DELETE FROM {table} WHERE false"),
        trigger(name, model, f"TRUNCATE {table} CASCADE", "; ".join(besides)),
    ]


def append_only(name: str, model: Model, *besides: str) -> list[Guard]:
    """Return the trigger that refuses whatever would change a table, or empty it."""
    key = model._meta.pk.column
    return [
        *updates(name, model, f"{key} = {key} WHERE false"),
        *removals(name, model, *besides),
    ]
