"""Tables and sample data of the demo: made once, and quickly found to be there."""

import hashlib
import re
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from embedded import report
from embedded.keeper import Attachment

STAFF = "coffer_staff"  # sees every organization
# Whether somebody is there, and whether it is the demo without the last thing that it seeds.
SEEDED = """
    SELECT EXISTS (SELECT FROM tenants_organization),
           EXISTS (SELECT FROM tenants_organization WHERE slug = 'acme')
           AND NOT EXISTS (SELECT FROM billing_reconciliationcase)
"""


def create_database(postgres: Attachment, name: str) -> str:
    """Create a database in the embedded cluster unless it is there; return its address."""
    with psycopg.connect(postgres.url(), autocommit=True) as server:
        found = server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if found is None:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return postgres.url(name)


def create_logins(postgres: Attachment, database: str) -> dict[str, str]:
    """
    Let the web log in as one of coffer_web, and workers as one of coffer_staff.

    Returns the addresses by the setting that each is for. Passwords are new at every start.
    """
    addresses = {"DATABASE_OWNER_URL": postgres.url(database)}
    with psycopg.connect(postgres.url(), autocommit=True) as server:
        for setting, group in (("DATABASE_URL", "coffer_web"), ("DATABASE_STAFF_URL", STAFF)):
            login, password = f"{group}_of_demo", secrets.token_urlsafe(24)
            for role in (group, login):
                known = "SELECT FROM pg_roles WHERE rolname = %s"
                if server.execute(known, [role]).fetchone() is None:
                    server.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            names = (sql.Identifier(login), sql.Literal(password), sql.Identifier(group))
            server.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(*names[:2]))
            server.execute(sql.SQL("GRANT {} TO {}").format(names[2], names[0]))
            account = f"//{quote(login)}:{quote(password)}@"
            addresses[setting] = re.sub(r"//[^@]*@", account, postgres.url(database))
    return addresses


def migrate(root: Path, environment: dict[str, str]) -> None:
    """
    Bring the tables up to date.

    The database itself remembers for which migrations it was last brought up to date, so
    that a second start need not load Django to learn that nothing is to be done.
    """
    wanted = fingerprint(root)
    with psycopg.connect(_owner(environment), autocommit=True) as database:
        if _remembered(database) == wanted:
            report.done("Tables are up to date")
            return
        applied = _run_migrations(root, environment)
        _remember(database, wanted)
    report.done(f"Tables ({applied} migrations)")


def seed(root: Path, environment: dict[str, str]) -> None:
    """
    Fill in people, history and payments, unless somebody is there.

    A seed that was interrupted while it asked the simulator is taken up again.
    """
    with psycopg.connect(_owner(environment)) as database:
        found = database.execute(SEEDED).fetchone()
    somebody, unpaid = found or (False, False)
    if somebody and not (unpaid and environment.get("STRIPE_API_URL")):
        report.done("Sample data are there")
        return
    report.progress("Writing two months of history through the services")
    _manage(root, environment, "seed_demo")
    report.done("Sample data")


def _owner(environment: dict[str, str]) -> str:
    """Return the address at which the tables are owned, and every row is seen."""
    return environment.get("DATABASE_OWNER_URL") or environment["DATABASE_URL"]


def fingerprint(root: Path) -> str:
    """Return a hash of all that decides about the tables: our migrations and the pinned rest."""
    files = [*root.glob("apps/*/*migrations/*"), root / "requirements.lock"]
    files += [root / "apps" / "rbac" / "permissions.py", *root.glob("apps/core/walls/*.py")]
    files += [*root.glob("apps/*/models.py"), *root.glob("apps/*/models/*.py")]  # say their walls
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
