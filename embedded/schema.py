"""Tables and sample data of the demo: made once, and quickly found to be there."""

import hashlib
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from embedded import report
from embedded.keeper import Attachment


def create_database(postgres: Attachment, name: str) -> str:
    """Create a database in the embedded cluster unless it is there; return its address."""
    with psycopg.connect(postgres.url(), autocommit=True) as server:
        found = server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if found is None:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return postgres.url(name)


def migrate(root: Path, environment: dict[str, str]) -> None:
    """
    Bring the tables up to date.

    The database itself remembers for which migrations it was last brought up to date, so
    that a second start need not load Django to learn that nothing is to be done.
    """
    wanted = fingerprint(root)
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as database:
        if _remembered(database) == wanted:
            report.done("Tables are up to date")
            return
        applied = _run_migrations(root, environment)
        _remember(database, wanted)
    report.done(f"Tables ({applied} migrations)")


def seed(root: Path, environment: dict[str, str]) -> None:
    """Fill in people and history, unless somebody is there."""
    with psycopg.connect(environment["DATABASE_URL"]) as database:
        if database.execute("SELECT 1 FROM tenants_organization LIMIT 1").fetchone():
            report.done("Sample data are there")
            return
    report.progress("Writing two months of history through the services")
    _manage(root, environment, "seed_demo")
    report.done("Sample data")


def fingerprint(root: Path) -> str:
    """Return a hash of all that decides about the tables: our migrations and the pinned rest."""
    files = [*root.glob("apps/*/*migrations/*"), root / "requirements.lock"]
    files += [root / "apps" / "rbac" / "permissions.py"]
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.suffix in (".py", ".sql", ".lock")):
        digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return f"coffer:{digest.hexdigest()}"


def _remembered(database: psycopg.Connection) -> str | None:
    found = database.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = current_database()"
    ).fetchone()
    return found[0] if found else None


def _remember(database: psycopg.Connection, mark: str) -> None:
    database.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(
            sql.Identifier(database.info.dbname), sql.Literal(mark)
        )
    )


def _run_migrations(root: Path, environment: dict[str, str]) -> int:
    applied = 0
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--no-color"]
    with subprocess.Popen(
        command,
        cwd=root,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        output = []
        for line in process.stdout:
            output.append(line.rstrip())
            if line.strip().startswith("Applying"):
                applied += 1
                report.progress(f"Migration {applied}: {line.split()[1].rstrip('.')}")
    if process.returncode:
        raise RuntimeError("The migrations failed:\n" + "\n".join(output[-20:]))
    return applied


def _manage(root: Path, environment: dict[str, str], command: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        check=False,
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {command} failed:\n{(done.stderr or done.stdout)[-2000:]}")
