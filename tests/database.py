"""
A migrated database in a moment: migrate once into a template, and clone it.

The template is named after a hash of every migration, so a changed migration makes a
new one. Several test runs may work at once on one server.
"""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

CLONE = re.compile(r"coffer_test_(\d+)_")
# What `migrate` writes stays.
KEPT_TABLES = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "rbac_permission",
}
FIRST_STYLES = "code IN ('dusk', 'blueprint', 'meadow', 'newsprint')"
ROWS_OF_TESTS = {
    "jobs_ratelimitpolicy": "code LIKE 'test-%'",
    "rbac_role": "NOT is_system_role",
    "rbac_rolepermission": "role_id NOT IN (SELECT id FROM rbac_role WHERE is_system_role)",
    "jobs_style": f"NOT ({FIRST_STYLES})",
    "jobs_styleversion": "number > 1 OR style_id NOT IN"
    f" (SELECT id FROM jobs_style WHERE {FIRST_STYLES})",
}


@contextmanager
def migrated_database() -> Iterator[str]:
    """Point Django at a fresh clone of the migrated template, and drop it at the end."""
    original = str(connection.settings_dict["NAME"])
    with _administration() as server:
        _drop_leftovers(server)
        template = _template(server)
    _point_at(original)  # making the template has moved it
    with _clone_of(template) as name:
        yield name


@contextmanager
def copied_database() -> Iterator[str]:
    """Point Django at a copy of the database that it works on, and drop the copy at the end."""
    connection.close()
    with _clone_of(str(connection.settings_dict["NAME"])) as name:
        yield name


@contextmanager
def _clone_of(template: str) -> Iterator[str]:
    """Point Django at a clone of a database that nobody is connected to, and drop it at the end."""
    original = str(connection.settings_dict["NAME"])
    name = f"coffer_test_{os.getpid()}_{os.urandom(3).hex()}"
    with _administration() as server:
        _run(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
    _point_at(name)
    try:
        yield name
    finally:
        _point_at(original)
        with _administration() as server:
            _run(server, "DROP DATABASE {} WITH (FORCE)", name)


def _template(server: psycopg.Connection) -> str:
    """Return the name of the migrated template, made now if it is missing."""
    name = f"coffer_template_{_migrations_hash()}"
    lock_file = Path(tempfile.gettempdir()) / f"{name}.lock"
    with lock_file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _exists(server, name):
            building = f"{name}_building"
            _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", building)
            _run(server, "CREATE DATABASE {}", building)
            _point_at(building)
            call_command("migrate", verbosity=0, interactive=False)
            connection.close()
            _run(server, "ALTER DATABASE {} RENAME TO {}", building, name)
    return name


def _migrations_hash() -> str:
    """Return a hash of every migration file and of the code that fills tables after them."""
    digest = hashlib.sha256()
    modules = {MigrationLoader.migrations_module(app.label)[0] for app in apps.get_app_configs()}
    folders = [Path(*module.split(".")) for module in modules if module]
    roots = [Path(app.path).parents[app.name.count(".")] for app in apps.get_app_configs()]
    files = {
        file.resolve()
        for root in set(roots)
        for folder in folders
        for file in (root / folder).glob("[0-9]*.*")
        if file.suffix in (".py", ".sql")
    }
    ours = Path(__file__).parents[1] / "apps"
    files.add((ours / "rbac" / "permissions.py").resolve())
    files.update(ours.glob("core/walls/*.py"), ours.glob("*/models.py"), ours.glob("*/models/*.py"))
    for file in sorted(files):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _drop_leftovers(server: psycopg.Connection) -> None:
    """Drop the clones of test runs that were killed."""
    for (name,) in server.execute("SELECT datname FROM pg_database").fetchall():
        found = CLONE.match(name)
        if found and not Path(f"/proc/{found[1]}").exists() and not _lives(int(found[1])):
            _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _administration() -> Iterator[psycopg.Connection]:
    parameters = {**connection.get_connection_params(), "dbname": "postgres"}
    known = ("dbname", "user", "password", "host", "port")
    wanted = {name: value for name, value in parameters.items() if name in known}
    with psycopg.connect(**wanted, autocommit=True) as server:
        yield server


def _exists(server: psycopg.Connection, name: str) -> bool:
    found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def _run(server: psycopg.Connection, statement: str, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _point_at(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def empty_tables() -> None:
    """Empty what tests filled, with the triggers that refuse it switched off meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        filled = _filled_tables(cursor)
        guards = [guard for guard in _guards(cursor) if guard[0] in filled]
        for table, trigger in guards:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER "{trigger}"')
        # Foreign keys are deferred, so the order of the tables does not matter.
        for table in filled:
            cursor.execute(f'DELETE FROM "{table}" WHERE {ROWS_OF_TESTS.get(table, "true")}')
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, trigger in guards:
            cursor.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{trigger}"')


def _filled_tables(cursor: CursorWrapper) -> list[str]:
    tables = set(connection.introspection.table_names(cursor)) - KEPT_TABLES
    asked = (
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\" WHERE {condition})"
        for table, condition in ((t, ROWS_OF_TESTS.get(t, "true")) for t in sorted(tables))
    )
    cursor.execute(" UNION ALL ".join(asked))
    return [table for (table,) in cursor.fetchall()]


def _guards(cursor: CursorWrapper) -> list[tuple[str, str]]:
    """Return the triggers that nothing silences, with their tables."""
    cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled = 'A'")
    return cursor.fetchall()
