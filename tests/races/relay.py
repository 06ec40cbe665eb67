"""
A network that fails at the worst moment: it loses COMMIT, or the answer to it.

The client cannot tell one from the other: in both cases its connection is gone, and
whether its transaction stands is known to the server alone.
"""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from django.db import Error, connection

CHUNK = 65536
ATTEMPTS = 50


@dataclass
class Relay:
    """Passes bytes on between clients and the server, and drops a share of the COMMITs."""

    server: tuple[str, int]
    share: float  # of the COMMITs that are lost, and again of the answers to the others
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    lost_commits: int = 0  # never reached the server: nothing was done
    lost_answers: int = 0  # it was done, and nobody heard of it
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        """Where clients connect to, on loopback."""
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._relay, args=[client], daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        line = Line(client, socket.create_connection(self.server))
        for side in (line.client, line.server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._pass_answers, args=[line], daemon=True)
        back.start()
        with suppress(OSError):
            while data := client.recv(CHUNK):
                if b"COMMIT\0" in data and self.rng.random() < self.share:
                    self.lost_commits += 1
                    break
                if b"COMMIT\0" in data and self.rng.random() < self.share:
                    line.loses_next_answer = True
                line.server.sendall(data)
        line.hang_up()

    def _pass_answers(self, line: "Line") -> None:
        with suppress(OSError):
            while data := line.server.recv(CHUNK):
                if line.loses_next_answer:
                    self.lost_answers += 1
                    break
                line.client.sendall(data)
        line.hang_up()


@dataclass
class Line:
    """One client's connection, and the one to the server that stands for it."""

    client: socket.socket
    server: socket.socket
    loses_next_answer: bool = False

    def hang_up(self) -> None:
        """End both sides; twice is no more than once."""
        for side in (self.client, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


@contextmanager
def unreliable_network(share: float) -> Iterator[Relay]:
    """Let every new connection of Django go through a relay; open ones stay as they are."""
    known = connection.settings_dict
    host, port = known["HOST"], known["PORT"]
    relay = Relay((host or "127.0.0.1", int(port)), share)
    acceptor = threading.Thread(target=relay.serve, daemon=True)
    acceptor.start()
    known["HOST"], known["PORT"] = "127.0.0.1", relay.port
    try:
        yield relay
    finally:
        known["HOST"], known["PORT"] = host, port
        relay.listener.shutdown(socket.SHUT_RDWR)
        relay.listener.close()
        acceptor.join(5)


def until_answered[T](attempt: Callable[[int], T]) -> T:
    """
    Do something until the network lets its answer through; the attempts are numbered.

    :raises AssertionError: if it never does.
    """
    for number in range(ATTEMPTS):
        try:
            return attempt(number)
        except Error:  # the connection is gone, and so is what we knew
            connection.close()
    raise AssertionError("The network never let an answer through.")
