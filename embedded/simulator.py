"""The stand-in for Stripe in the demo, unless Stripe itself is configured."""

import secrets
import socket
import sys
import time
from pathlib import Path

from embedded import report
from embedded.ports import reserve_port
from embedded.processes import Processes

NAME = "simulator"
WANTED_PORT = 12111  # that of stripe-mock; another one if it is taken
KEY = "sk_test_" + "0" * 24  # the simulator takes any test key, and no other
WAIT_SECONDS = 30


def start(home: Path, port_of_web: int, environment: dict[str, str], processes: Processes) -> None:
    """
    Start the simulator, which delivers its webhooks to Coffer's web server.

    A key or an address that was given is respected: then nothing is simulated.

    :raises RuntimeError: if it does not come up.
    """
    if environment.get("STRIPE_SECRET_KEY") or environment.get("STRIPE_API_URL"):
        report.done("Stripe (yours)")
        return
    port = reserve_port(WANTED_PORT)
    state, secret = home / "stripe.json", f"whsec_{secrets.token_hex(16)}"
    webhook = f"http://127.0.0.1:{port_of_web}/webhooks/stripe/"
    processes.start(
        NAME,
        *(sys.executable, "-m", "simulator"),
        *("--port", str(port), "--file", str(state)),
        *("--forward-to", webhook, "--secret", secret),
    )
    _wait(port, processes)
    environment["STRIPE_API_URL"] = f"http://127.0.0.1:{port}"
    environment["STRIPE_SECRET_KEY"] = KEY
    environment["STRIPE_WEBHOOK_SECRETS"] = secret
    report.done(f"Stripe (simulated, port {port})")


def _wait(port: int, processes: Processes) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and processes.ended() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"The simulator does not answer:\n{processes.tail(NAME)}")
