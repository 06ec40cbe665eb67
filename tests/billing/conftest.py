"""What tests of billing share: Stripe's stand-in, empty before each test that asks for it."""

import threading
from collections.abc import Iterator

import pytest

from apps.billing.models import ProductVersion
from apps.core.invariants import verify
from apps.tenants.models import Organization
from simulator.__main__ import make_world
from simulator.core.server import Server
from tests.billing.buying import make_pack
from tests.billing.stripe import SECRET, Stripe
from tests.people import make_organization


@pytest.fixture(scope="session")
def stripe_server() -> Iterator[Server]:
    """Serve in a thread; every object that goes out is held against Stripe's description."""
    server = Server(make_world())
    server.world.is_checked = True
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()


@pytest.fixture
def stripe(stripe_server, settings) -> Iterator[Stripe]:
    """Configure billing, and give what a test asks of Stripe itself."""
    stripe_server.world.reset()
    stripe_server.world.violations.clear()
    settings.STRIPE_SECRET_KEY = "sk_test_" + "a" * 24
    settings.STRIPE_API_URL = stripe_server.url
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    yield Stripe(stripe_server)
    assert stripe_server.world.violations == []


@pytest.fixture
def organization(db) -> Organization:
    return make_organization()


@pytest.fixture
def pack(db) -> ProductVersion:
    return make_pack()


@pytest.fixture
def no_trial(settings) -> None:
    """Let an organization begin without credits."""
    settings.TRIAL_CREDITS = 0


@pytest.fixture
def nothing_is_broken(db) -> Iterator[None]:
    """Hold every invariant against what the test leaves."""
    yield
    assert [found for found in verify() if found.failures] == []
