"""Ports of the demo's own servers, which two demos that start at the same moment do not share."""

import fcntl
import tempfile
from pathlib import Path
from typing import IO

from embedded.keeper import free_port

TRIES = 50
_reserved: list[IO[str]] = []  # held until the process ends


def reserve_port(wanted: int) -> int:
    """
    Return a loopback port that is free, the wanted one if it is, and keep other demos from it.

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
