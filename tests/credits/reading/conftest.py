"""Every test here reads a wallet with prices and, unless it asks for one, no trial."""

import pytest

from apps.core.invariants import verify
from tests.credits.reading.history import make_reading_wallet


@pytest.fixture
def wallet(db, settings):
    settings.TRIAL_CREDITS = 0
    return make_reading_wallet()


@pytest.fixture(autouse=True)
def _nothing_is_broken(request):
    yield
    if "db" in request.fixturenames:
        assert [finding for finding in verify() if finding.failures] == []
