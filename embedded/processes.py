"""The demo's own processes: started together, watched, and ended together."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from embedded.keeper import dies_with_parent

STOP_SECONDS = 15
TAIL_LINES = 15


@dataclass
class Processes:
    """Children, each with a log of its own."""

    logs: Path
    environment: dict[str, str]
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

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
                preexec_fn=dies_with_parent("SIGTERM"),  # noqa: PLW1509  no thread runs yet
            )

    def ended(self) -> str | None:
        """Return the name of one that has ended, if any."""
        for name, process in self.running.items():
            if process.poll() is not None:
                return name
        return None

    def stop(self) -> None:
        """Ask all to end, wait, and kill those that do not."""
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()

    def log_of(self, name: str) -> Path:
        """Return where a process's output goes."""
        return self.logs / f"{name}.log"

    def tail(self, name: str) -> str:
        """Return the last lines that a process wrote."""
        lines = self.log_of(name).read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])
