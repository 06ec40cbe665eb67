"""Ports of our own servers, which two that start at the same moment do not share."""

import fcntl
import socket
import tempfile
from pathlib import Path
from typing import IO

TRIES = 50
_reserved: list[IO[str]] = []  # held until the process ends


def free_port(wanted: int = 0) -> int:
    """Return a loopback port that is free now: the wanted one if it is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("No loopback port is free.")


def reserve_port(wanted: int = 0) -> int:
    """
    Return a loopback port that is free, the wanted one if it is, and keep others from it.

    A port looks free until its server listens, which may be seconds later. So whoever reserves
    one locks a file for as long as its process lives.

    :raises RuntimeError: if there is none.
    """
    for _ in range(TRIES):
        port = free_port(wanted)
        if _reserve(port):
            return port
        wanted = 0
    raise RuntimeError("No loopback port is free.")


def _reserve(port: int) -> bool:
    try:
        lock = (Path(tempfile.gettempdir()) / f"coffer-port-{port}.lock").open("a")
    except PermissionError:  # it is another account's
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _reserved.append(lock)
    return True
