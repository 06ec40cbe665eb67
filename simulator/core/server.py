"""
HTTP on loopback: a thread for each connection, which stays open.

Written on sockets, because the standard library's handler takes longer to read a request's
headers than the simulator takes to answer it.
"""

import logging
import socket
import struct
import sys
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

from simulator.core.api import Dropped, handle
from simulator.core.errors import StripeError
from simulator.core.http import Request, Response, as_json
from simulator.core.timers import Ticker
from simulator.core.world import World

logger = logging.getLogger("simulator")

LOOPBACK = "127.0.0.1"
OUR_NAMES = ("127.0.0.1", "localhost", "::1")
MAX_LINE = 65_536
MAX_HEADERS = 100
MAX_BODY = 4 * 1024 * 1024
IDLE_SECONDS = 300


class Malformed(Exception):
    """What came in is no request that we can read."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status


class Handler(StreamRequestHandler):
    """Reads requests from one connection and answers them in turn."""

    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: "Server"

    def handle(self) -> None:
        """Answer until one side has had enough."""
        try:
            while self._answer_one():
                pass
        except Malformed as error:
            words = f"The simulator cannot read this request: {error.status.phrase}."
            refusal = StripeError(error.status, "invalid_request_error", words)
            self._send(as_json(refusal.body(), error.status), stays_open=False)
        except Dropped as dropped:
            if dropped.reset:  # a linger of zero seconds makes the kernel send RST
                option = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        except (ConnectionError, TimeoutError):
            pass  # clients hang up when they like

    def _answer_one(self) -> bool:
        """Answer one request; return whether another one may follow."""
        line = self._line() or self._line()
        if not line:
            return False
        method, target, version = self._split(line)
        headers = self._headers()
        stays_open = version != "HTTP/1.0" and headers.get("connection", "").lower() != "close"
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(headers).decode(errors="replace")
        path, _, query = target.partition("?")
        request = Request(method, path, query.partition("#")[0], body, headers)
        refusal = stranger(request)
        response = handle(self.server.world, request) if refusal is None else refusal
        self._send(response, stays_open=stays_open, has_body=method != "HEAD")
        return stays_open

    def _line(self) -> str:
        line = self.rfile.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise Malformed(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        return line.decode("latin-1").rstrip("\r\n")

    def _split(self, line: str) -> tuple[str, str, str]:
        parts = line.split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or parts[1][:1] != "/":
            raise Malformed(HTTPStatus.BAD_REQUEST)
        return parts[0], parts[1], parts[2]

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while line := self._line():
            name, colon, value = line.partition(":")
            if not colon:
                raise Malformed(HTTPStatus.BAD_REQUEST)
            headers[name.lower()] = value.strip()
            if len(headers) > MAX_HEADERS:
                raise Malformed(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        return headers

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise Malformed(HTTPStatus.BAD_REQUEST)
        if int(length) > MAX_BODY:
            raise Malformed(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self.rfile.read(int(length)) if length != "0" else b""

    def _chunks(self) -> bytes:
        body = b""
        while True:
            try:
                size = int(self._line().partition(";")[0], 16)
            except ValueError:
                raise Malformed(HTTPStatus.BAD_REQUEST) from None
            if not 0 <= size <= MAX_BODY - len(body):
                raise Malformed(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            if size == 0:
                break
            body += self.rfile.read(size)
            self._line()
        while self._line():
            pass  # trailers
        return body

    def _send(self, response: Response, *, stays_open: bool, has_body: bool = True) -> None:
        status = HTTPStatus(response.status)
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            f"Connection: {'keep-alive' if stays_open else 'close'}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        head = "\r\n".join(lines).encode("latin-1", errors="replace") + b"\r\n\r\n"
        self.wfile.write(head + response.body if has_body else head)


def stranger(request: Request) -> Response | None:
    """
    Refuse a page from elsewhere that makes a browser on this machine ask for it.

    Listening on loopback does not help against that: the browser is here. A name that was
    made to point at us is not ours, and a form of another site says where it comes from, or
    hides it and says "null", which our own pages never do.
    """
    host, origin = request.header("host"), request.header("origin")
    is_ours = not host or _name(f"//{host}") in OUR_NAMES
    if origin is not None and request.path.startswith("/_sim"):
        is_ours = is_ours and _name(origin) in OUR_NAMES
    if is_ours:
        return None
    words = "The simulator answers on this machine only, by the name 127.0.0.1 or localhost."
    return as_json(StripeError(403, "invalid_request_error", words).body(), 403)


def _name(address: str) -> str | None:
    """Return the name in an address, if it is one."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


class Server(ThreadingTCPServer):
    """One simulator that listens on loopback, and nowhere else."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, world: World, port: int = 0) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.world = world
        self.world.base_url = self.url
        self.ticker = Ticker(world)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def serve(self) -> None:
        """Serve until `shutdown` is called from another thread."""
        self.world.deliveries.start()
        self.ticker.start()
        try:
            self.serve_forever(poll_interval=0.1)
        finally:
            self.ticker.end()
            self.world.deliveries.stop()
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what ended a connection, unless a client has hung up: they do when they like."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            logger.exception("The connection from %s failed", client_address[0])
