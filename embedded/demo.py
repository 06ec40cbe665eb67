"""
`manage.py demo`: everything that a newcomer needs, started by one command.

Services, migrations, sample data, then web, worker with beat and the stand-in for Stripe.
Safe to repeat: a second start takes what is there. Ctrl-C ends it all.
"""

import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from embedded import report, schema, simulator
from embedded.account import elsewhere
from embedded.keeper import Attachment, attach, read_state
from embedded.ports import reserve_port
from embedded.processes import Processes
from embedded.settings import environment_of_demo, write_shared

ROOT = Path(__file__).parents[1]
DEFAULT_PORT = 8000
WAIT_SECONDS = 60


class StopRequested(Exception):
    """Someone asked the demo to end."""


def main(arguments: Sequence[str]) -> int:
    """Run the demo until it is stopped; return the exit status."""
    options = parse(arguments)
    home = Path(os.environ.get("COFFER_HOME", ROOT / ".coffer")).resolve()
    if options.stop or options.reset:
        stop_running(home)
        if options.reset:
            remove(home)
        return 0
    home.mkdir(parents=True, exist_ok=True)
    with (home / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.fail(f"The demo runs already: {running(home).get('url', 'it is starting')}")
            return 1
        return run(home, options.port)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="manage.py demo", description="Run Coffer's demo.")
    wanted = int(os.environ.get("PORT", DEFAULT_PORT))
    parser.add_argument("--port", type=int, default=wanted, help="of the web server, if free")
    parser.add_argument("--stop", action="store_true", help="stop the demo that runs")
    parser.add_argument("--reset", action="store_true", help="stop it and forget all its data")
    return parser.parse_args(arguments)


def run(home: Path, port: int) -> int:
    """Start everything, say where it is, and watch it until it is stopped."""
    _on_stop_signals(_request_stop)
    attachments: list[Attachment] = []
    processes = Processes(home / "logs", {}, ROOT)
    try:
        start(home, reserve_port(port), processes, attachments)
        return watch(processes)
    except StopRequested:
        return 0
    except RuntimeError as error:
        report.fail(str(error))
        return 1
    finally:
        _on_stop_signals(signal.SIG_IGN)  # a second Ctrl-C must not leave half of it behind
        report.say("Stopping.")
        processes.stop()
        release(home, attachments)


def start(home: Path, port: int, processes: Processes, attachments: list[Attachment]) -> None:
    """Bring up services, tables, data and processes, in the order in which each is needed."""
    report.begin()
    environment = environment_of_demo(home, port)
    processes.environment = environment
    start_services(home, environment, attachments)
    simulator.start(home, port, environment, processes)
    schema.migrate(ROOT, environment)
    schema.seed(ROOT, environment)
    start_coffer(port, processes)
    write_shared(home / "env", environment)
    (home / "run.json").write_text(json.dumps({"url": environment["BASE_URL"], "pid": os.getpid()}))
    wait_until_ready(f"http://127.0.0.1:{port}/readyz", processes)
    report.done("Web, worker and beat")
    report.summary(home, environment)


def start_services(home: Path, environment: dict[str, str], attachments: list[Attachment]) -> None:
    """Start PostgreSQL and Valkey, or take those whose addresses are given."""
    if "DATABASE_URL" in environment:
        report.done("PostgreSQL (yours)")
    else:
        attachments.append(attach("postgres", home))
        schema.create_database(attachments[-1], "coffer")
        environment.update(schema.create_logins(attachments[-1], "coffer"))
        report.done(f"PostgreSQL (embedded, port {attachments[-1].port})")
    if "REDIS_URL" in environment:
        report.done("Redis (yours)")
    else:
        attachments.append(attach("valkey", home))
        environment["REDIS_URL"] = attachments[-1].url()
        report.done(f"Valkey (embedded, port {attachments[-1].port})")


def start_coffer(port: int, processes: Processes) -> None:
    """Start the web server, and one worker that holds the beat as well."""
    processes.start(
        "web",
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "config.wsgi:application"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "8", "--no-ws"),
    )
    processes.start(
        "worker",
        *(sys.executable, "-m", "celery", "-A", "config", "worker"),
        # Its schedule in memory: the file that Celery would open does not survive the fork.
        *("--concurrency", "2", "--beat", "--scheduler", "celery.beat:Scheduler"),
        *("--loglevel", "INFO", "--without-mingle", "--without-gossip"),
    )


def wait_until_ready(url: str, processes: Processes) -> None:
    """
    Wait for the first 200.

    :raises RuntimeError: if a process ends first, or it takes too long.
    """
    report.progress("Waiting for the first answer")
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        _check(processes)
        if _answers(url):
            return
        time.sleep(0.1)
    raise RuntimeError(f"No answer from {url} in {WAIT_SECONDS} s:\n{processes.tail('web')}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  our own address
            return bool(answer.status == 200)
    except OSError:  # not up yet, or not ready yet
        return False


def watch(processes: Processes) -> int:
    """
    Look after the processes for ever.

    :raises RuntimeError: as soon as one of them ends by itself.
    """
    while True:
        _check(processes)
        time.sleep(0.5)


def _check(processes: Processes) -> None:
    if name := processes.ended():
        raise RuntimeError(f"The process {name} ended by itself:\n{processes.tail(name)}")


def release(home: Path, attachments: list[Attachment]) -> None:
    """Leave the services, and wait until their keepers have stopped them."""
    for name in ("run.json", "env"):
        (home / name).unlink(missing_ok=True)
    for attachment in attachments:
        attachment.close()
    for attachment in attachments:
        deadline = time.monotonic() + WAIT_SECONDS
        kind = attachment.server.name
        while read_state(home, kind) and time.monotonic() < deadline:
            time.sleep(0.05)


def running(home: Path) -> dict[str, str]:
    """Return address and process id of the demo that runs on this home."""
    try:
        found: dict[str, str] = json.loads((home / "run.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def stop_running(home: Path) -> None:
    """Stop the demo that runs on this home, and wait until it has let go of it."""
    if not home.exists():
        return
    with (home / "demo.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if pid := running(home).get("pid"):
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGTERM)
                time.sleep(0.2)
            else:
                return


def remove(home: Path) -> None:
    """Forget all data: what lies below home, and what had to lie elsewhere."""
    for folder in (home, elsewhere(home)):
        if folder.exists():
            shutil.rmtree(folder)
            report.say(f"Removed {folder}")


def _request_stop(number: int, frame: FrameType | None) -> None:
    raise StopRequested


def _on_stop_signals(handler: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)  # type: ignore[arg-type]
