"""A simulator in this process, whose state can be looked at."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator.__main__ import make_world
from simulator.core.server import Server
from tests.simulator.conformance.scenarios import Shop


@contextmanager
def served(*, is_checked: bool = True) -> Iterator[Shop]:
    """Serve on a free port; every answer is held against Stripe's description if wanted."""
    server = Server(make_world())
    server.world.is_checked = is_checked
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    shop = Shop(server.url)
    shop.world = server.world
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()


def all_events(shop: Shop) -> list[Any]:
    """Return every event that was emitted, the oldest first."""
    listed = shop.v1.events.list({"limit": 100})
    return list(listed.auto_paging_iter())[::-1]
