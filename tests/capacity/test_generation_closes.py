"""Whatever hands blocks went through, and whatever was corrected, generation closes."""

from random import Random
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from figures.capacity_generation import CONTROLS, run_plant
from tests.people import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def organizations():
    with mock.patch("apps.capacity.services.readings.enqueue"):  # the plants share by themselves
        yield [make_organization() for _ in range(3)]


# The same plants each time, however slow the machine is.
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rng=st.randoms(use_true_random=False))
def test_whatever_happened(organizations, rng):
    assert run_plant(rng, organizations) == []


@pytest.mark.parametrize("wrongly", CONTROLS.values(), ids=CONTROLS)
def test_and_it_would_be_noticed_if_not(organizations, wrongly):
    with wrongly():
        assert any(run_plant(Random(number), organizations) for number in range(10))
