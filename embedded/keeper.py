"""
A process that owns one server for as long as somebody uses it.

Every user holds a shared lock on a file. The keeper tries for the exclusive lock: when it
gets it, nobody is left, and it stops the server and ends. So several processes share
one server, and the death of any of them, by whatever signal, leaves nothing behind.
"""

import ctypes
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from embedded.account import server_account
from embedded.ports import reserve_port
from embedded.postgres import Postgres
from embedded.valkey import Valkey

Server = Postgres | Valkey
START_SECONDS = 60
STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1


@dataclass
class Attachment:
    """A server in use: it runs at least until this is closed, or the process ends."""

    server: Server
    port: int
    pid: int
    _lock: IO[str]

    def url(self, database: str | None = None) -> str:
        """Return the server's address, or that of one of its databases."""
        return self.server.url(self.port, database) if database else self.server.url(self.port)

    def close(self) -> None:
        """Use it no more."""
        self._lock.close()


def server_of(kind: str, home: Path, *, is_careless: bool) -> Server:
    """Return the server of this kind below home."""
    if kind == "postgres":
        return Postgres(home, server_account(), is_careless)
    return Valkey(home, is_careless)


def attach(kind: str, home: Path, *, is_careless: bool = False) -> Attachment:
    """
    Use the server below home: the one that runs, or one that is started now.

    :raises RuntimeError: if it does not start; its log says why.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    server = server_of(kind, home, is_careless=is_careless)
    lock = (home / f"{kind}.users").open("a")
    fcntl.flock(lock, fcntl.LOCK_SH)
    keeper: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        state = read_state(home, kind)
        if state and server.is_ready(state["port"]):
            return Attachment(server, state["port"], state["pid"], lock)
        if keeper is None or keeper.poll() is not None:
            keeper = _start_keeper(kind, home, is_careless)
        time.sleep(0.02)
    raise RuntimeError(f"{kind} did not start within {START_SECONDS} s; see {home}/{kind}.log")


def read_state(home: Path, kind: str) -> dict[str, int] | None:
    """Return port and process ids of the server below home, if its keeper lives."""
    if not _has_keeper(home, kind):
        return None
    try:
        state: dict[str, int] = json.loads((home / f"{kind}.json").read_text())
    except (OSError, ValueError):
        return None
    return state


def _has_keeper(home: Path, kind: str) -> bool:
    """Ask by its lock and not by its pid, which may be a zombie's or somebody else's."""
    try:
        with (home / f"{kind}.keeper").open() as own:
            fcntl.flock(own, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _start_keeper(kind: str, home: Path, is_careless: bool) -> subprocess.Popen[bytes]:
    mode = "careless" if is_careless else "durable"
    with (home / f"{kind}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "embedded.keeper", kind, str(home), mode],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=Path(__file__).parents[1],
        )


def keep(server: Server) -> None:
    """Own the server until nobody uses it; do nothing if another keeper does."""
    home, kind = server.home, server.name
    with (home / f"{kind}.keeper").open("a") as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.2)  # the other one is about to tell its port
            return
        server.prepare()
        _stop_orphan(server)
        port = reserve_port()
        process = subprocess.Popen(
            server.command(port),
            cwd="/",
            env=dict(os.environ, LC_ALL="C.UTF-8"),
            preexec_fn=dies_with_parent(server.stop_signal),  # noqa: PLW1509  no thread runs
            **server.account.process_options,  # type: ignore[call-overload]
        )
        with (home / f"{kind}.users").open("a") as users:
            try:
                _publish(server, process, port)
                _wait_until_unused(users, process)
            finally:
                # Whoever comes now waits for the lock that we hold, and then starts anew.
                process.send_signal(signal.Signals[server.stop_signal])
                process.wait(30)
                (home / f"{kind}.json").unlink(missing_ok=True)


def _publish(server: Server, process: subprocess.Popen[bytes], port: int) -> None:
    while not server.is_ready(port):
        if process.poll() is not None:
            sys.exit(f"{server.name} ended with {process.returncode} while it started")
        time.sleep(0.02)
    state = {"port": port, "pid": process.pid, "keeper": os.getpid()}
    draft = server.home / f"{server.name}.json.draft"
    draft.write_text(json.dumps(state))
    draft.replace(server.home / f"{server.name}.json")


def _wait_until_unused(users: IO[str], process: subprocess.Popen[bytes]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while process.poll() is None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.25)
        else:
            return


def _stop_orphan(server: Server) -> None:
    """
    Stop a server whose keeper was killed where no signal follows a parent's death.

    The pid in its file may have gone to somebody else by now, who is left in peace.
    """
    file = server.data / server.pid_file
    try:
        pid = int(file.read_text().split()[0])
        if pid < 1:  # as a signal's address it would mean a group
            return
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return
    if not is_serving(server, pid):
        _disown(file)
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.Signals[server.stop_signal])
    deadline = time.monotonic() + STOP_SECONDS
    while is_serving(server, pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def is_serving(server: Server, pid: int) -> bool:
    """Tell whether a process is this server: its program, on this data directory."""
    program = re.escape(Path(server.command(0)[0]).name)
    data = re.escape(str(server.data))
    return bool(re.search(rf"(^|/){program}\s.*{data}(/|\s|$)", command_line(pid), re.DOTALL))


def command_line(pid: int) -> str:
    """Return the words with which a process was started, or nothing if it has ended."""
    if Path("/proc/self/cmdline").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return words.replace(b"\0", b" ").decode(errors="replace")
    asked = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
    )
    return asked.stdout


def _disown(pid_file: Path) -> None:
    """
    Let a stale pid file name ourselves, the parent of the server that comes.

    PostgreSQL does not start while the pid in its file lives, unless it is its parent's.
    The file stays, because it also tells which shared memory must be free.
    """
    with suppress(OSError):
        stale = pid_file.read_text()
        pid_file.write_text(stale.replace(stale.split()[0], str(os.getpid()), 1))


def dies_with_parent(signal_name: str) -> Callable[[], None] | None:
    """Return what a child runs before it becomes its program, so that it ends when we do."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    number = int(signal.Signals[signal_name])

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)

    return ask


if __name__ == "__main__":
    keep(server_of(sys.argv[1], Path(sys.argv[2]), is_careless=sys.argv[3] == "careless"))
