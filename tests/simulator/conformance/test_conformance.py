"""Every scenario of the documentation, and every object in it held against the description."""

import pytest

from tests.simulator.conformance.scenarios import Scenario, Shop, load


@pytest.mark.parametrize("scenario", load(), ids=lambda one: one.name)
def test_scenario(server, world, scenario: Scenario):
    scenario.play(Shop(server.url))
