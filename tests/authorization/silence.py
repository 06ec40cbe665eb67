"""The guards of tables, off for a moment: the matrix writes what no service would."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models


@contextmanager
def without_triggers(model: type[models.Model]) -> Iterator[None]:
    """Switch off the triggers that refuse, also those that nothing else silences."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [table],
        )
        names = [connection.ops.quote_name(name) for (name,) in cursor.fetchall()]
        for name in names:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        yield
        for name in names:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
