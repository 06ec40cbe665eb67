"""The whole of Coffer as `manage.py demo` starts it, on data of its own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from embedded.ports import free_port

ROOT = Path(__file__).parents[1]
START_SECONDS = 300
# What the tests set for themselves, or the shell for another instance.
NOT_HANDED_ON = {
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "BASE_URL", "ALLOWED_HOSTS", "MEDIA_ROOT"),
    *("DEMO", "DEMO_LOGINS", "EMAIL_URL", "MOVABLE_CLOCK", "CACHE_PREFIX", "LOG_LEVEL", "DEBUG"),
}


@dataclass
class Stack:
    """A demo below `home`."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    output: str = ""

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start it and wait for the first 200; return the seconds that took."""
        began = time.monotonic()
        environment = {k: v for k, v in os.environ.items() if k not in NOT_HANDED_ON}
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "output.log").open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--port", str(self.port)],
                cwd=ROOT,
                env={**environment, "COFFER_HOME": str(self.home)},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        while not self.answers():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() - began < START_SECONDS, self.said()
            time.sleep(0.1)
        return time.monotonic() - began

    def answers(self) -> bool:
        """Tell whether it is ready: it has said so, and answers with 200."""
        if "Ready in" not in self.said():
            return False
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal to the supervisor alone, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def said(self) -> str:
        """Return what it printed."""
        return (self.home / "output.log").read_text()

    def logins(self) -> dict[str, str]:
        """Return the passwords of its people, by e-mail."""
        demo = json.loads((self.home / "demo.json").read_text())
        return {login["email"]: login["password"] for login in demo["logins"]}

    def api_key(self) -> str:
        """Return the secret of its one API key."""
        return json.loads((self.home / "demo.json").read_text())["api_keys"][0]["key"]

    def environment(self) -> dict[str, str]:
        """Return what another process needs to work on its data."""
        lines = (self.home / "env").read_text().splitlines()
        return {**os.environ, **dict(line.split("=", 1) for line in lines)}

    def processes(self) -> list[str]:
        """Return the command lines of all that still runs for it, servers included."""
        mark = str(self.home).encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            if int(folder.name) == os.getpid():
                continue
            try:
                command = (folder / "cmdline").read_bytes()
                environment = (folder / "environ").read_bytes()
            except OSError:  # it has ended
                continue
            if mark in command or b"COFFER_HOME=" + mark in environment:
                found.append(command.replace(b"\0", b" ").decode())
        return found

    def wait_until_gone(self, seconds: float = 20) -> list[str]:
        """Wait until nothing runs for it any more; return what does after that time."""
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left
