"""PgBouncer in transaction pooling, for as long as a block lasts, in front of a test's database."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection
from psycopg import sql

from apps.core.walls import WEB

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
LOGIN = "coffer_pooled_web"
PASSWORD = "only-on-the-loopback"
SERVERS = 2  # connections to PostgreSQL, shared by all clients
CONFIGURATION = """
[databases]
{name} = host={host} port={port} dbname={name} user={login} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {servers}
ignore_startup_parameters = extra_float_digits,options
"""


@contextmanager
def pooled_web() -> Iterator[None]:
    """Send what this process asks through PgBouncer, in the role of the web."""
    assert PROGRAM, "pgbouncer is not installed"
    direct = dict(connection.settings_dict)
    _make_login()
    folder = Path(tempfile.mkdtemp(prefix="coffer-pgbouncer-"))
    folder.chmod(0o755)
    port = _free_port()
    (folder / "users").write_text(f'"{LOGIN}" "{PASSWORD}"\n')
    (folder / "ini").write_text(
        CONFIGURATION.format(
            **{key.lower(): direct[key] for key in ("NAME", "HOST", "PORT")},
            listen=port,
            folder=folder,
            login=LOGIN,
            password=PASSWORD,
            servers=SERVERS,
        )
    )
    as_nobody = {"user": pwd.getpwnam("nobody").pw_uid} if os.getuid() == 0 else {}
    process = subprocess.Popen(
        [PROGRAM, "-q", str(folder / "ini")], stderr=subprocess.DEVNULL, **as_nobody
    )
    pooled = {"HOST": "127.0.0.1", "PORT": port, "USER": LOGIN, "PASSWORD": PASSWORD}
    try:
        _wait_for(port)
        connection.close()
        connection.settings_dict.update(
            **pooled, OPTIONS={"prepare_threshold": None}, DISABLE_SERVER_SIDE_CURSORS=True
        )
        yield
    finally:
        connection.close()
        connection.settings_dict.update(direct)
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _make_login() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [LOGIN])
        if cursor.fetchone() is None:
            cursor.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
                    sql.Identifier(LOGIN), sql.Literal(PASSWORD), sql.Identifier(WEB)
                )
            )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=port,
                user=LOGIN,
                password=PASSWORD,
                dbname=connection.settings_dict["NAME"],
            ):
                return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
