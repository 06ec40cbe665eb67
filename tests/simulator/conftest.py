"""A simulator on a free port for all tests, emptied before each, and Stripe's own client."""

import threading
from collections.abc import Iterator

import pytest
import stripe

from simulator.__main__ import make_world
from simulator.core.server import Server
from simulator.core.world import World

KEY = "sk_test_" + "a" * 24


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Serve in a thread; every object that goes out is held against the description."""
    server = Server(make_world())
    server.world.is_checked = server.world.is_strict = True
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()


@pytest.fixture
def world(server) -> Iterator[World]:
    """Give the simulator's state, empty; fail if anything was sent that Stripe would not send."""
    server.world.reset()
    server.world.violations.clear()
    yield server.world
    assert server.world.violations == []


@pytest.fixture
def client(world, server) -> stripe.StripeClient:
    """Give Stripe's unmodified client. It does not repeat requests by itself."""
    return stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=0)
