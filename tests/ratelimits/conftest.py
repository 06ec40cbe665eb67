"""Rate limits that are on, and that no slow machine takes for a Redis that is away."""

import pytest

from apps.core.ratelimits import policies, windows


@pytest.fixture
def patient(monkeypatch):
    """Give Redis as long as it needs."""
    monkeypatch.setattr(windows, "TIMEOUT_SECONDS", 30)
    windows._store_at.cache_clear()
    yield
    windows._store_at.cache_clear()


@pytest.fixture
def limited(settings, patient, monkeypatch):
    """Count the requests of this test; what the process keeps, it keeps until the end."""
    settings.RATE_LIMITS = True
    monkeypatch.setattr(policies.kept, "default_timeout", 3600)
    policies.kept.clear()
    yield
    policies.kept.clear()
