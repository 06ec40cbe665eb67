"""HTTP on loopback: a thread for each connection, which stays open."""

import socket
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from simulator.core.api import Dropped, handle
from simulator.core.http import Request
from simulator.core.timers import Ticker
from simulator.core.world import World

LOOPBACK = "127.0.0.1"
MAX_BODY = 4 * 1024 * 1024
IDLE_SECONDS = 300


class Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection and answers them in turn."""

    protocol_version = "HTTP/1.1"
    server_version = "CofferSimulator"
    sys_version = ""
    timeout = IDLE_SECONDS
    wbufsize = -1  # one write for headers and body
    disable_nagle_algorithm = True
    server: "Server"

    def answer(self) -> None:
        """Answer one request."""
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.send_error(413)
            self.close_connection = True
            return
        body = self.rfile.read(int(length)).decode(errors="replace")
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, address.path, address.query, body, headers)
        try:
            response = handle(self.server.world, request)
        except Dropped as dropped:
            self._drop(reset=dropped.reset)
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT = do_PATCH = do_OPTIONS = answer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests are listed at /_sim/."""

    def _drop(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:  # a linger of zero seconds makes the kernel send RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server(ThreadingHTTPServer):
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
            self.ticker.ended.set()
            self.world.deliveries.stop()
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let clients hang up when they like."""
