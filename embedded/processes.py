"""The demo's own processes: started together, watched, and ended together."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from embedded.watchdog import DONE, end

TAIL_LINES = 15


@dataclass
class Processes:
    """Children, each with a log of its own, and a watchdog for the case that we are killed."""

    logs: Path
    environment: dict[str, str]
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    watchdog: subprocess.Popen[str] | None = None

    def start(self, name: str, *command: str) -> None:
        """Start one in a session of its own, so that Ctrl-C reaches us alone."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log_of(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )
        self._tell_watchdog(str(self.running[name].pid))

    def ended(self) -> str | None:
        """Return the name of one that has ended, if any."""
        for name, process in self.running.items():
            if process.poll() is not None:
                return name
        return None

    def stop(self) -> None:
        """Ask all to end, wait, and kill those that do not; then send the watchdog home."""
        children = self.running.values()
        end([child.pid for child in children], reap=lambda: [child.poll() for child in children])
        for process in self.running.values():
            process.wait()
        self.running.clear()
        if self.watchdog is not None:
            self._tell_watchdog(DONE)
            self.watchdog.communicate()

    def log_of(self, name: str) -> Path:
        """Return where a process's output goes."""
        return self.logs / f"{name}.log"

    def tail(self, name: str) -> str:
        """Return the last lines that a process wrote."""
        lines = self.log_of(name).read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])

    def _tell_watchdog(self, line: str) -> None:
        if self.watchdog is None:
            self.watchdog = subprocess.Popen(
                [sys.executable, "-m", "embedded.watchdog"],
                stdin=subprocess.PIPE,
                text=True,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
            )
        assert self.watchdog.stdin is not None
        self.watchdog.stdin.write(f"{line}\n")
        self.watchdog.stdin.flush()
