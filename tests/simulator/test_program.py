"""The program: its command line, its file, and where it listens."""

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("address", ["https://hooks.example.com/x", "127.0.0.1:8000/x"])
def test_it_does_not_promise_to_forward_where_nothing_may_go(address):
    command = [sys.executable, "-m", "simulator", "--port", "0", "--forward-to", address]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "--deliver-to" in ended.stderr


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


class TestTheWire:
    """What clients send that no client library sends."""

    def talk(self, server, sent):
        with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as line:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65_536), b"")).decode()

    def ask(self, server, *headers, path="/v1/customers", method="GET", body=b""):
        lines = [f"{method} {path} HTTP/1.1", f"Authorization: Bearer {KEY}", *headers, "", ""]
        return self.talk(server, "\r\n".join(lines).encode() + body)

    @pytest.mark.parametrize(
        ("path", "form"),
        [
            ("/_sim/clock", b"seconds=abc"),
            ("/_sim/clock", b"seconds=-1"),
            ("/_sim/clock", b"seconds=99999999999999"),
            ("/_sim/clock", b"seconds[]=1"),
            ("/_sim/chaos", b"effect=drop_before&chance[]=1"),
            ("/_sim/chaos", b"effect[]=drop_before"),
        ],
    )
    def test_what_the_control_plane_cannot_read(self, world, server, path, form):
        header = f"Content-Length: {len(form)}"
        answer = self.ask(server, header, path=path, method="POST", body=form)
        assert answer.startswith("HTTP/1.1 400")
        assert world.shift == 0
        assert not world.chaos.rules

    def test_a_page_that_fails_says_so_here_and_in_the_log(
        self, world, server, monkeypatch, caplog
    ):
        monkeypatch.setattr("simulator.pages.control.run_due", lambda world: 1 / 0)
        answer = self.ask(server, path="/_sim/clock", method="POST")
        assert answer.startswith("HTTP/1.1 500")
        assert "see its log" in answer
        assert "ZeroDivisionError" in caplog.text

    def test_a_connection_that_fails_leaves_a_line_in_the_log(
        self, world, server, monkeypatch, caplog
    ):
        monkeypatch.setattr("simulator.core.server.handle", lambda world, request: 1 / 0)
        assert self.ask(server) == ""
        assert "ZeroDivisionError" in caplog.text

    def test_a_client_that_hangs_up_leaves_none(self, world, server, monkeypatch, caplog):
        def hang_up(handler):
            while handler.rfile.readline().strip():
                pass  # what is left unread would reset the connection
            raise BrokenPipeError

        monkeypatch.setattr("simulator.core.server.Handler.handle", hang_up)
        assert self.ask(server) == ""
        assert caplog.text == ""

    def test_two_requests_on_one_connection(self, world, server):
        lines = "GET /v1/events HTTP/1.1\r\nAuthorization: Bearer sk_test_a\r\n\r\n"
        assert self.talk(server, (lines * 2).encode()).count("HTTP/1.1 200 OK") == 2

    def test_a_body_in_chunks(self, world, server):
        body = b"5\r\nname=\r\n3;x=y\r\nAda\r\n0\r\n\r\n"
        answer = self.ask(server, "Transfer-Encoding: chunked", method="POST", body=body)
        assert '"name": "Ada"' in answer

    def test_a_client_that_waits_to_be_asked_on(self, world, server):
        headers = ("Expect: 100-continue", "Content-Length: 8")
        answer = self.ask(server, *headers, method="POST", body=b"name=Ada")
        assert answer.startswith("HTTP/1.1 100 Continue")
        assert '"name": "Ada"' in answer

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"nonsense\r\n\r\n", "400"),
            (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "400"),
            (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"),
            (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", "413"),
            (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", "431"),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
        ],
    )
    def test_what_is_no_request(self, world, server, sent, status):
        assert self.talk(server, sent).startswith(f"HTTP/1.1 {status}")

    @pytest.mark.parametrize(
        ("headers", "path", "status"),
        [
            (["Host: 127.0.0.1:1"], "/_sim/reset", "200"),
            (["Host: localhost", "Origin: http://localhost:8000"], "/_sim/reset", "200"),
            (["Host: 127.0.0.1:1", "Origin: null"], "/_sim/reset", "403"),
            (["Host: 127.0.0.1:1", "Origin: null"], "/_sim/chaos", "403"),
            (["Host: 127.0.0.1:1", "Origin: file://"], "/_sim/reset", "403"),
            (["Host: 127.0.0.1:1", "Origin: http://["], "/_sim/reset", "403"),
            (["Host: ["], "/_sim/reset", "403"),
            ([], "/_sim/reset", "200"),
            (["Host: evil.example:12111"], "/_sim/reset", "403"),
            (["Host: evil.example:12111"], "/v1/customers", "403"),
            (["Host: 127.0.0.1:1", "Origin: https://evil.example"], "/_sim/reset", "403"),
        ],
    )
    def test_pages_of_others_cannot_reach_it(self, world, server, headers, path, status):
        answer = self.ask(server, *headers, path=path, method="POST")
        assert answer.startswith(f"HTTP/1.1 {status}")
