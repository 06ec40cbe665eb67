"""
Insert many rows by one statement that has the same form for one and for thousands.

Django's `bulk_create` writes each cell as a placeholder of its own wherever a column has a
default of the database, as every `created_at` has. Past some hundred rows most of an insert's
time goes into that text: here, and where the server reads it. These rows travel as one JSON text.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models.expressions import DatabaseDefault

from apps.core import scope
from apps.core.rows import organization_field

type Field = models.Field[Any, Any]


def insert_many[M: models.Model](rows: Iterable[M]) -> list[M]:
    """
    Insert these rows of one table, in their order, and return them.

    Like `bulk_create` it calls no `save` and sends no signal. What the database fills in (a
    `db_default` that was left to it) is read back into each row. Cells are text, numbers,
    booleans, bytes, UUIDs, moments, JSON, or None.

    :raises NoOrganization: if the rows are of organizations, and the scope says of none.
    :raises TypeError: if a cell is something else, an expression for instance, or if the
        database shall fill it in for some of the rows alone.
    """
    made = list(rows)
    if not made:
        return made
    model = type(made[0])
    _check_scope(model)
    fields, filled = _columns(made[0])
    _check_filled(made, filled)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(_statement(model, fields, filled), [_as_json(made, fields)])
        answers = {key: cells for key, *cells in cursor.fetchall()}
    for row in made:
        for field, cell in zip(filled, answers[row.pk], strict=True):
            setattr(row, field.attname, cell)
        row._state.adding, row._state.db = False, connection.alias
    return made


def _check_scope(model: type[models.Model]) -> None:
    if organization_field(model) is not None and not scope.current().is_open:
        raise scope.NoOrganization(f"{model.__name__} was written without an organization.")


def _columns(row: models.Model) -> tuple[list[Field], list[Field]]:
    """Return what the rows say themselves, and what the database fills in."""
    said: list[Field] = []
    filled: list[Field] = []
    for field in row._meta.concrete_fields:
        left = field.generated or isinstance(getattr(row, field.attname), DatabaseDefault)
        (filled if left else said).append(field)
    return said, filled


def _check_filled(rows: Sequence[models.Model], filled: Sequence[Field]) -> None:
    """Refuse a cell that one row has and the first one leaves: the statement would drop it."""
    left = [field.attname for field in filled if not field.generated]
    for row in rows:
        if said := [name for name in left if not isinstance(getattr(row, name), DatabaseDefault)]:
            raise TypeError(f"One row says {said[0]}, and the first one leaves it to the database.")


def _statement(model: type[models.Model], fields: Sequence[Field], filled: Sequence[Field]) -> str:
    """Return the statement with one placeholder; only names of our own columns are in it."""
    names = ", ".join(_name(field) for field in fields)
    types = ", ".join(f"{_name(field)} {field.db_type(connection)}" for field in fields)
    back = ", ".join(_name(field) for field in [model._meta.pk, *filled])
    return (
        f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names})"  # noqa: S608
        f" SELECT {names} FROM json_to_recordset(%s::json) AS new ({types}) RETURNING {back}"
    )


def _name(field: Field) -> str:
    return str(connection.ops.quote_name(str(field.column)))


def _as_json(rows: Sequence[models.Model], fields: Sequence[Field]) -> str:
    told = [(field.column, field.pre_save) for field in fields]
    cells = [{column: cell_of(row, True) for column, cell_of in told} for row in rows]
    return json.dumps(cells, default=_as_postgres_reads_it)


def _as_postgres_reads_it(cell: object) -> str:
    if isinstance(cell, bytes):
        return f"\\x{cell.hex()}"
    if isinstance(cell, UUID | datetime):
        return str(cell)
    raise TypeError(f"No column is written from a {type(cell).__name__} here.")
