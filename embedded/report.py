"""What the demo says in the terminal."""

import json
import sys
import time
from pathlib import Path

_clock = {"began": 0.0, "last": 0.0}


def begin() -> None:
    """Start the clock of the lines to come."""
    _clock["began"] = _clock["last"] = time.monotonic()
    say("Starting Coffer. Nothing leaves this machine.")


def done(what: str) -> None:
    """Say that a step is done, and how long it took."""
    now = time.monotonic()
    clear()
    say(f"  ✔ {what:<46} {now - _clock['last']:5.1f} s")
    _clock["last"] = now


def progress(what: str) -> None:
    """Show how far a long step is, where a terminal can take it back."""
    if sys.stdout.isatty():
        print(f"\r  … {what:<60}", end="", flush=True)


def clear() -> None:
    """Take the last progress back."""
    if sys.stdout.isatty():
        print("\r" + " " * 66 + "\r", end="")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def fail(reason: str) -> None:
    """Say what went wrong."""
    clear()
    print(f"  ✘ {reason}", file=sys.stderr, flush=True)


def summary(home: Path, environment: dict[str, str]) -> None:
    """Say where everything is, and who can sign in."""
    url = environment["BASE_URL"]
    say(f"\nReady in {time.monotonic() - _clock['began']:.1f} s.\n")
    say(f"  Pages    {url}/")
    say(f"  Admin    {url}/admin/")
    say(f"  API      {url}/api/docs/")
    say(f"  Mail     {url}/demo/mailbox/")
    if stripe := environment.get("STRIPE_API_URL"):
        say(f"  Stripe   {stripe}/_sim  (simulated; no card is charged)")
    _logins(Path(environment["DEMO_LOGINS"]))
    say(f"\n  Logs in {home / 'logs'}. Ctrl-C stops everything.")


def _logins(file: Path) -> None:
    if not file.exists():  # a database of one's own, seeded elsewhere
        return
    demo = json.loads(file.read_text())
    say(f"\n  Password of everyone: {demo['logins'][0]['password']}")
    for login in demo["logins"]:
        where = f" of {login['organization']}" if login["organization"] else ""
        say(f"    {login['email']:<24} {login['role']}{where}")
    for key in demo["api_keys"]:
        say(f"\n  API key of {key['organization']}: {key['key']}")
    if worker_key := demo.get("worker_key"):  # none in a demo that is older than workers
        say(f"  Worker key: {worker_key}  (docs/guides/external_worker.py)")
