"""The figures of chaos in deliveries can fail: they are not what they are for otherwise."""

import pytest

from figures.lines import Report
from figures.stripe_chaos import delivery_chaos
from simulator.core.chaos import DELIVERY_EFFECTS
from simulator.core.deliveries import Deliveries

WISHES = 12


@pytest.fixture
def report(capsys):
    return Report()


def test_they_are_good_and_their_controls_red(report, capsys):
    delivery_chaos(report, WISHES)
    assert report.shortcomings == []
    lines = capsys.readouterr().out.splitlines()
    controls = {line.split()[0]: "control=red" in line for line in lines if "control=" in line}
    assert [name for name, is_red in controls.items() if is_red] == [
        "chaos_delivery_lose",
        "chaos_delivery_duplicate",
    ]


def test_they_fail_if_nothing_is_sent(report, monkeypatch):
    monkeypatch.setattr(Deliveries, "_post", lambda *args: 200)
    delivery_chaos(report, WISHES)
    assert set(report.shortcomings) == {f"chaos_delivery_{effect}" for effect in DELIVERY_EFFECTS}


def test_they_fail_if_chaos_never_strikes(report, monkeypatch):
    monkeypatch.setattr("simulator.core.chaos.Rule.applies", lambda rule: False)
    delivery_chaos(report, WISHES)
    assert set(report.shortcomings) == {f"chaos_delivery_{effect}" for effect in DELIVERY_EFFECTS}
