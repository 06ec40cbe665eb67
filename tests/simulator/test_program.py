"""The program: its command line, its file, and where it listens."""

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import stripe

from tests.simulator.conftest import KEY
from tests.simulator.receiver import receiving

ROOT = Path(__file__).parents[2]


@contextmanager
def running(*arguments):
    """Start the program on a free port; end it as an operator would."""
    command = [sys.executable, "-m", "simulator", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            lines = iter(process.stdout.readline, "")
            said = next(line for line in lines if line.startswith("Stripe simulator"))
            url = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
            yield url, stripe.StripeClient(KEY, base_addresses={"api": url})
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def test_state_and_keys_outlive_it_in_a_file(tmp_path):
    file = tmp_path / "state.json"
    with running("--file", str(file)) as (_, client):
        made = client.v1.customers.create({"name": "N"}, {"idempotency_key": "k"})
    assert file.stat().st_mode & 0o077 == 0
    with running("--file", str(file)) as (_, client):
        again = client.v1.customers.create({"name": "N"}, {"idempotency_key": "k"})
        assert again.id == made.id
        assert [one.id for one in client.v1.customers.list().data] == [made.id]
        event = client.v1.events.list().data[0]
        assert event.data.object.id == made.id


def test_it_forwards_from_the_start(tmp_path):
    with receiving() as receiver:
        arguments = ("--forward-to", receiver.url, "--secret", "whsec_x")
        arguments += ("--file", str(tmp_path / "state.json"))
        for count in (1, 2):  # the second start finds the endpoint of the first
            with running(*arguments) as (_, client):
                client.v1.customers.create({"name": "N"})
                receiver.wait(count)
                assert len(client.v1.webhook_endpoints.list().data) == 1
        event = stripe.Webhook.construct_event(
            receiver.bodies[0], receiver.signatures[0], "whsec_x"
        )
    assert event.type == "customer.created"


def test_it_listens_on_loopback_only():
    with running() as (url, _):
        port = int(url.rpartition(":")[2])
        with socket.socket() as other:  # were it bound to all addresses, this one would be taken
            other.bind(("127.0.0.2", port))


def test_a_port_that_is_taken_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "simulator", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == 1
    assert "cannot be had" in ended.stderr
