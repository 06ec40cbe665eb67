"""A swap of plans beside whoever uses the old plan's credits."""

import pytest

from tests.races.lock_races import charge_while_a_plan_is_swapped


@pytest.mark.django_db(transaction=True)
def test_a_charge_waits_for_the_swap_and_is_served():
    assert charge_while_a_plan_is_swapped()
