"""The doorbell where nobody hears it."""

import pytest
from celery import current_app
from kombu.exceptions import OperationalError
from kombu.utils import functional


def test_a_broker_that_refuses_is_not_waited_for(monkeypatch):
    """Whoever rings is a request, and the sweep rings again; nothing is worth a wait."""

    def wait(seconds):
        pytest.fail(f"The ring would wait {seconds} s and try again.")

    monkeypatch.setattr(functional, "sleep", wait)
    with (
        current_app.connection_for_write("redis://127.0.0.1:1/0") as broker,
        pytest.raises((OperationalError, *broker.recoverable_connection_errors)),
    ):
        broker.default_channel  # noqa: B018  connects
