"""Revert everything twice at once: each charge comes back once."""

import pytest

from figures.ground_floor import lock_removed
from tests.races.reverting import is_given_back_once, make_charges, revert_everything_twice

pytestmark = pytest.mark.django_db(transaction=True)
CHARGES = 60


@pytest.fixture
def wallet_id():
    return make_charges(CHARGES)


class TestRevertingEverythingTwiceAtOnce:
    def test_under_one_reference_is_done_and_replayed(self, wallet_id):
        told = revert_everything_twice(wallet_id, CHARGES, one_reference=True)

        assert told == [{"done": 1, "replayed": 1}] * CHARGES
        assert is_given_back_once(wallet_id, CHARGES)

    def test_under_two_references_is_done_and_refused(self, wallet_id):
        told = revert_everything_twice(wallet_id, CHARGES, one_reference=False)

        assert told == [{"done": 1, "already_refunded": 1}] * CHARGES
        assert is_given_back_once(wallet_id, CHARGES)

    def test_goes_wrong_without_the_lock(self, wallet_id):
        """The control: the two do meet, and only the lock keeps them apart."""
        with lock_removed():
            told = revert_everything_twice(wallet_id, CHARGES, one_reference=True)

        assert any("error" in said for said in told)
